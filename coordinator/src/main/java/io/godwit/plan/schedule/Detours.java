package io.godwit.plan.schedule;

import io.godwit.plan.model.HeldSlots;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Ways round a third host. Moves that wait for each other's room in a circle can never start; one of them, sent through a host that
 * has room meanwhile, opens the circle. Adds as few moves as it finds, one circle after the other.
 */
public final class Detours {
    /** A fleet so full that it needs more is better given a host. */
    private static final int MOST_EXTRA_MOVES = 64;

    /** Trials per extra move: each builds the batch anew. */
    private static final int MOST_TRIALS = 400;

    /** Enough for a handful of list schedules: whether all can start hardly depends on their times. */
    private static final long TRIAL_EFFORT = 1;

    private Detours() {}

    /** {@code moves}, with detours where some of them could never start; unchanged when none helps. */
    public static List<Move> around(PlanCase plan, List<Move> moves) {
        List<Move> best = moves;
        List<Move> stuck = stuck(plan, best);
        for (int extra = 0; extra < MOST_EXTRA_MOVES && !stuck.isEmpty(); extra++) {
            List<Move> better = oneMore(plan, best, stuck);
            if (better.isEmpty()) {
                return best;
            }
            best = better;
            stuck = stuck(plan, best);
        }
        return best;
    }

    private static List<Move> stuck(PlanCase plan, List<Move> moves) {
        return Scheduler.schedule(plan, moves, new Scheduler.Effort(1, TRIAL_EFFORT))
                .stuck();
    }

    private static List<Move> oneMore(PlanCase plan, List<Move> moves, List<Move> stuck) {
        Map<String, PlanVm> vms = plan.vmsByName();
        List<Move> smallestFirst = new ArrayList<>(stuck);
        smallestFirst.sort(
                Comparator.comparingDouble((Move move) -> usedMb(vms, move)).thenComparing(Move::vm));
        List<Move> best = List.of();
        int fewest = stuck.size();
        int trials = 0;
        for (Move move : smallestFirst) {
            for (PlanHost host : plan.hosts()) {
                if (trials >= MOST_TRIALS || !mayPass(plan, vms, move, host)) {
                    continue;
                }
                Map<String, List<Integer>> slots = slots(plan, vms, move, host);
                if (slots == null) {
                    continue;
                }
                trials++;
                List<Move> tried = new ArrayList<>();
                for (Move each : moves) {
                    if (each.equals(move)) {
                        tried.add(new Move(move.vm(), move.from(), host.name(), slots));
                        tried.add(new Move(move.vm(), host.name(), move.to(), move.slots()));
                    } else {
                        tried.add(each);
                    }
                }
                int left = stuck(plan, tried).size();
                if (left < fewest) {
                    fewest = left;
                    best = tried;
                }
                if (left == 0) {
                    return best;
                }
            }
        }
        return best;
    }

    private static double usedMb(Map<String, PlanVm> vms, Move move) {
        PlanVm vm = vms.get(move.vm());
        return vm == null ? 0 : vm.ram().usedMb();
    }

    /** Slots to pass through: those that are free on the host before anything moves. */
    private static @Nullable Map<String, List<Integer>> slots(
            PlanCase plan, Map<String, PlanVm> vms, Move move, PlanHost host) {
        PlanVm vm = vms.get(move.vm());
        if (vm == null || vm.slots().isEmpty()) {
            return Map.of();
        }
        HeldSlots held = new HeldSlots(host);
        Map<String, Map<String, List<Integer>>> initially = HeldSlots.initially(plan);
        for (PlanVm other : plan.vms()) {
            if (other.host().equals(host.name())) {
                held.take(other, initially.getOrDefault(other.name(), Map.of()), 1);
            }
        }
        return held.choose(vm);
    }

    private static boolean mayPass(PlanCase plan, Map<String, PlanVm> vms, Move move, PlanHost host) {
        PlanVm vm = vms.get(move.vm());
        return vm != null
                && !host.name().equals(move.from())
                && !host.name().equals(move.to())
                && host.closed().isEmpty()
                && !plan.drained().contains(host.name())
                && !vm.bannedHosts().contains(host.name())
                && host.tags().containsAll(vm.onlyTags())
                && (vm.onlyHosts().isEmpty()
                        || vm.onlyHosts().contains(host.name())
                        || plan.destinations().containsKey(vm.name()));
    }
}
