package io.godwit.plan.model;

import java.util.List;
import java.util.Map;

/**
 * One migration to be scheduled. A VM that goes through an intermediate host has several, in order.
 *
 * @param vm the VM
 * @param from host it leaves
 * @param to host it goes to
 * @param slots which slots it gets there, by pool; empty when it needs none
 */
public record Move(String vm, String from, String to, Map<String, List<Integer>> slots) {
    /** Copies the map. */
    public Move {
        slots = Map.copyOf(slots);
    }

    /** A VM that needs no slots. */
    public Move(String vm, String from, String to) {
        this(vm, from, to, Map.of());
    }
}
