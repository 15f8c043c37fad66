package io.godwit.plan.model;

import java.util.List;
import java.util.Map;

/**
 * A migration with its times.
 *
 * @param vm the VM
 * @param from host it leaves
 * @param to host it goes to
 * @param startMs when copying starts, from the plan's start
 * @param endMs when the VM runs at its destination and has left its source
 * @param slots which slots it gets there, by pool; empty when it needs none
 * @param shares its bandwidth over time; the first from {@code startMs}, each until the next or the end
 */
public record ScheduledMove(
        String vm,
        String from,
        String to,
        Map<String, List<Integer>> slots,
        long startMs,
        long endMs,
        List<Share> shares) {
    /**
     * Bandwidth from a moment on.
     *
     * @param fromMs from when
     * @param mbitPerSecond on every link of its path
     */
    public record Share(long fromMs, long mbitPerSecond) {}

    /** Copies the list. */
    public ScheduledMove {
        slots = Map.copyOf(slots);
        shares = List.copyOf(shares);
    }

    /** A VM that needs no slots. */
    public ScheduledMove(String vm, String from, String to, long startMs, long endMs, List<Share> shares) {
        this(vm, from, to, Map.of(), startMs, endMs, shares);
    }
}
