package io.godwit.plan;

import io.godwit.plan.Fleet.PlacedVm;
import io.godwit.plan.Placement.Timing;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.check.Violation;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.TransferModel;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The batch planner for live evacuations: destinations by load and balance, the order in which migrations are to start, and about when
 * each starts and how long it takes. Whatever it plans has been replayed by the checker; what does not pass is not carried out.
 */
public final class DrainPlanner implements Planner {
    /** What a plan for a live fleet tries: about 10 ms, for an evacuation plans anew whenever something changes. */
    private static final Scheduler.Effort EFFORT = new Scheduler.Effort(1, 200_000);

    private final long hostMbit;

    /** @param hostMbit what each host's link is taken to carry for migrations, Mbit/s: no host reports it */
    public DrainPlanner(long hostMbit) {
        this.hostMbit = hostMbit;
    }

    @Override
    public Plan plan(
            Fleet fleet, Set<String> drained, List<String> vms, Map<String, Set<String>> avoid, long bytesPerSecond) {
        List<PlacedVm> movers = new ArrayList<>();
        List<Placement> blocked = new ArrayList<>();
        for (String name : vms) {
            PlacedVm vm = Optional.ofNullable(fleet.vms().get(name))
                    .orElseThrow(() -> new IllegalArgumentException("vm '" + name + "' is on no host"));
            if (vm.blockers().isEmpty()) {
                movers.add(vm);
            } else {
                blocked.add(new Placement(
                        name,
                        vm.host(),
                        Optional.empty(),
                        Optional.of("cannot be migrated: " + String.join("; ", vm.blockers()))));
            }
        }
        PlanCase live =
                LiveCase.of(fleet, drained, movers, avoid, hostMbit, TransferModel.STANDARD.limitedTo(bytesPerSecond));
        BatchPlan plan = BatchPlanner.plan(live, EFFORT);
        List<Violation> violations = PlanChecker.check(live, plan);
        List<Placement> placements = new ArrayList<>();
        Map<String, HostRoom> rooms = new TreeMap<>(fleet.hosts());
        Map<String, PlacedVm> byName = new HashMap<>();
        movers.forEach(vm -> byName.put(vm.spec().name(), vm));
        for (ScheduledMove move : plan.moves()) {
            PlacedVm vm = byName.get(move.vm());
            if (vm == null || !violations.isEmpty()) {
                placements.add(new Placement(
                        move.vm(),
                        move.from(),
                        Optional.empty(),
                        Optional.of("the plan does not pass its check: "
                                + (violations.isEmpty() ? "moves others" : violations.getFirst()))));
                continue;
            }
            placements.add(new Placement(
                    move.vm(),
                    move.from(),
                    Optional.of(move.to()),
                    Optional.empty(),
                    Optional.of(timing(live, vm.spec(), move))));
            rooms.computeIfPresent(move.to(), (_, room) -> room.plus(vm.spec()));
        }
        for (Unmoved unmoved : plan.unmoved()) {
            PlacedVm vm = byName.get(unmoved.vm());
            if (vm != null) {
                placements.add(new Placement(
                        unmoved.vm(),
                        vm.host(),
                        Optional.empty(),
                        Optional.of(FirstFit.why(rooms, vm, drained, avoid.getOrDefault(unmoved.vm(), Set.of()))
                                .orElse(unmoved.reason()))));
            }
        }
        placements.addAll(blocked);
        return new Plan(placements);
    }

    private Timing timing(PlanCase live, VmSpec spec, ScheduledMove move) {
        long blackout = live.transfer()
                .blackoutMs(
                        LiveCase.ram(spec, LiveCase.most(hostMbit, live.transfer())),
                        move.shares().getLast().mbitPerSecond());
        // it goes on copying until the standstill is within the budget
        return new Timing(move.startMs(), move.endMs() - move.startMs(), Math.min(blackout, spec.blackoutBudgetMs()));
    }
}
