package io.godwit.plan;

import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.place.Placed;
import io.godwit.plan.place.Placer;
import io.godwit.plan.schedule.Detours;
import io.godwit.plan.schedule.Schedule;
import io.godwit.plan.schedule.Scheduler;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        while (true) {
            List<Unmoved> dropped = dropped(plan, schedule);
            if (dropped.isEmpty()) {
                break;
            }
            unmoved.addAll(dropped);
            // half a way is no help, and no host boots for a VM that never comes
            Set<String> names = new HashSet<>();
            dropped.forEach(each -> names.add(each.vm()));
            moves = moves.stream().filter(move -> !names.contains(move.vm())).toList();
            schedule = Scheduler.schedule(plan, moves, effort);
        }
        return new BatchPlan(schedule.moves(), unmoved, schedule.makespanMs(), schedule.lowerBoundMs());
    }

    /** Those that cannot be done: they can never start; else they come too late. */
    private static List<Unmoved> dropped(PlanCase plan, Schedule schedule) {
        Map<String, Unmoved> dropped = new LinkedHashMap<>();
        for (Move move : schedule.stuck()) {
            dropped.putIfAbsent(
                    move.vm(),
                    new Unmoved(
                            move.vm(),
                            "can never leave '" + move.from() + "' for '" + move.to()
                                    + "': what it needs there is held by others that wait as well, or its memory is"
                                    + " written faster than the links carry",
                            "room on one more host to pass through, or a faster link"));
        }
        if (!dropped.isEmpty() || schedule.makespanMs() <= plan.deadlineMs()) {
            return List.copyOf(dropped.values());
        }
        Map<String, PlanHost> hosts = plan.hostsByName();
        for (ScheduledMove move : schedule.moves()) {
            PlanHost from = hosts.get(move.from());
            long done = move.endMs() + (from == null ? 0 : from.powerOffMs());
            if (done > plan.deadlineMs()) {
                dropped.putIfAbsent(
                        move.vm(),
                        new Unmoved(
                                move.vm(),
                                "must be done at " + plan.deadlineMs() + " ms: its turn ends at " + done + " ms",
                                "a deadline of " + schedule.makespanMs() + " ms, a faster link, or fewer VMs to move"));
            }
        }
        return List.copyOf(dropped.values());
    }
}
