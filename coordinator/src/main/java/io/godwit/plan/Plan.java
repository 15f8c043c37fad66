package io.godwit.plan;

import java.util.List;

/**
 * Where every VM of a batch goes.
 *
 * @param placements one per VM, in the order in which they are to be moved
 */
public record Plan(List<Placement> placements) {
    public Plan {
        placements = List.copyOf(placements);
    }

    /** Whether every VM has a destination. */
    public boolean complete() {
        return unplaced() == 0;
    }

    /** VMs without a destination. */
    public long unplaced() {
        return placements.stream().filter(p -> p.to().isEmpty()).count();
    }
}
