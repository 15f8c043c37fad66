package io.godwit.plan;

import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.place.Placed;
import io.godwit.plan.place.Placer;
import io.godwit.plan.schedule.Detours;
import io.godwit.plan.schedule.Schedule;
import io.godwit.plan.schedule.Scheduler;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Plans a whole batch before anything moves: destinations where none are given, then times. Pure and deterministic. */
public final class BatchPlanner {
    private BatchPlanner() {}

    /**
     * Plans {@code plan}.
     *
     * @param effort how much to try
     * @return what moves when, and what cannot and why
     */
    public static BatchPlan plan(PlanCase plan, Scheduler.Effort effort) {
        Placed placed = Placer.place(plan);
        List<Unmoved> unmoved = new ArrayList<>(placed.unmoved());
        List<Move> moves = Detours.around(plan, placed.moves());
        Schedule schedule = Scheduler.schedule(plan, moves, effort);
        while (!schedule.stuck().isEmpty()) {
            Set<String> stuck = new HashSet<>();
            for (Move move : schedule.stuck()) {
                if (stuck.add(move.vm())) {
                    unmoved.add(new Unmoved(
                            move.vm(),
                            "can never leave '" + move.from() + "' for '" + move.to()
                                    + "': what it needs there is held by others that wait as well, or its memory is"
                                    + " written faster than the links carry",
                            "room on one more host to pass through, or a faster link"));
                }
            }
            // half a way is no help, and no host boots for a VM that never comes
            moves = moves.stream().filter(move -> !stuck.contains(move.vm())).toList();
            schedule = Scheduler.schedule(plan, moves, effort);
        }
        return new BatchPlan(schedule.moves(), unmoved, schedule.makespanMs(), schedule.lowerBoundMs());
    }
}
