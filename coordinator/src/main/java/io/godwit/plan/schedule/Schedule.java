package io.godwit.plan.schedule;

import io.godwit.plan.model.Move;
import io.godwit.plan.model.ScheduledMove;
import java.util.List;

/**
 * What the scheduler found.
 *
 * @param moves those with times, by start
 * @param stuck those that can never start: what they need is held by others of them
 * @param makespanMs when all is done, boots and power-offs included
 * @param lowerBoundMs no schedule of these moves is shorter
 */
public record Schedule(List<ScheduledMove> moves, List<Move> stuck, long makespanMs, long lowerBoundMs) {
    /** Copies the lists. */
    public Schedule {
        moves = List.copyOf(moves);
        stuck = List.copyOf(stuck);
    }
}
