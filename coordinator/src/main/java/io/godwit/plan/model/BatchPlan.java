package io.godwit.plan.model;

import java.util.List;

/**
 * A finished plan.
 *
 * @param moves in order of their starts
 * @param unmoved VMs that should move and do not, with reasons
 * @param makespanMs when all is done, boots and power-offs included
 * @param lowerBoundMs no plan can be shorter
 */
public record BatchPlan(List<ScheduledMove> moves, List<Unmoved> unmoved, long makespanMs, long lowerBoundMs) {
    /**
     * A VM that stays though it should move.
     *
     * @param vm the VM
     * @param reason what forbids it
     * @param remedy what would make it possible; empty when nothing known does
     */
    public record Unmoved(String vm, String reason, String remedy) {}

    /** Copies the lists. */
    public BatchPlan {
        moves = List.copyOf(moves);
        unmoved = List.copyOf(unmoved);
    }

    /** Mean of the moments at which the VMs have arrived, ms; 0 without moves. */
    public double meanEndMs() {
        return moves.stream().mapToLong(ScheduledMove::endMs).average().orElse(0);
    }
}
