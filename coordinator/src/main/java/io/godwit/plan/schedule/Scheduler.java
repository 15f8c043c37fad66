package io.godwit.plan.schedule;

import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import java.util.List;

/** Finds a short schedule for given moves: many list schedules with different ranks, then changes to the order of the best. */
public final class Scheduler {
    /**
     * How much to try. Counted in looks at moves, never in wall time: the same input gives the same plan on any machine.
     *
     * @param seed of everything random
     * @param effort looks at moves in all
     */
    public record Effort(long seed, long effort) {
        /** About 0.3 s on a small machine. */
        public static final Effort STANDARD = new Effort(1, 8_000_000);
    }

    private Scheduler() {}

    /** Schedules {@code moves}; those of one VM happen in their order. */
    public static Schedule schedule(PlanCase plan, List<Move> moves, Effort effort) {
        MoveBatch batch = BatchBuilder.build(plan, moves);
        return new OrderSearch(batch, effort).search();
    }
}
