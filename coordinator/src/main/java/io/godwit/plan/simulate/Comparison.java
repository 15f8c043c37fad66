package io.godwit.plan.simulate;

import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A plan carried out by us and, with the same destinations, as peers would start its migrations. */
public final class Comparison {
    private Comparison() {}

    /**
     * Runs the plan under our policy, then under each peer's. Peers take VMs host by host, in the order of the fleet; those of higher
     * priority first.
     *
     * @param noise how much durations vary: the standard deviation of their logarithms; 0 for not at all
     * @param seed of the noise
     */
    public static List<Outcome> of(PlanCase plan, BatchPlan result, double noise, long seed) {
        List<Outcome> outcomes = new ArrayList<>();
        List<ScheduledMove> ours = new ArrayList<>(result.moves());
        ours.sort(Comparator.comparingLong(ScheduledMove::startMs));
        outcomes.add(new FleetRun(plan, ours, Policy.GODWIT, noise, seed).run());
        Map<String, Integer> place = new HashMap<>();
        Map<String, PlanVm> vms = plan.vmsByName();
        plan.vms().forEach(vm -> place.put(vm.name(), place.size()));
        List<ScheduledMove> theirs = new ArrayList<>(result.moves());
        theirs.sort(Comparator.comparingInt((ScheduledMove move) -> -priority(vms, move))
                .thenComparingInt(move -> place.getOrDefault(move.vm(), 0))
                .thenComparingLong(ScheduledMove::startMs));
        for (Policy peer : Policy.PEERS) {
            outcomes.add(new FleetRun(plan, theirs, peer, noise, seed).run());
        }
        return outcomes;
    }

    private static int priority(Map<String, PlanVm> vms, ScheduledMove move) {
        PlanVm vm = vms.get(move.vm());
        return vm == null ? 0 : vm.priority();
    }
}
