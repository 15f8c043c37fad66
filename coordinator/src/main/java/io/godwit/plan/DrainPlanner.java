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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The batch planner for live evacuations: destinations by load and balance, the order in which migrations are to start, and about when
 * each starts and how long it takes. First nobody else is moved; only if that leaves a VM behind, others may make room for it, as few
 * as will do. Whatever it plans has been replayed by the checker; what does not pass is not carried out.
 */
public final class DrainPlanner implements Planner {
    /** What a plan for a live fleet tries: about 10 ms, for an evacuation plans anew whenever something changes. */
    private static final Scheduler.Effort EFFORT = new Scheduler.Effort(1, 200_000);

    private static final String NO_WAY = "; no way to make room by moving others was found";

    private final long hostMbit;

    /** @param hostMbit what each host's link is taken to carry for migrations, Mbit/s: no host reports it */
    public DrainPlanner(long hostMbit) {
        this.hostMbit = hostMbit;
    }

    /** A case and its plan. */
    private record Planned(PlanCase live, BatchPlan plan) {
        Set<String> unmoved() {
            Set<String> names = new HashSet<>();
            plan.unmoved().forEach(unmoved -> names.add(unmoved.vm()));
            return names;
        }
    }

    @Override
    public Plan plan(PlanRequest request) {
        List<PlacedVm> movers = new ArrayList<>();
        List<Placement> blocked = new ArrayList<>();
        for (String name : request.vms()) {
            PlacedVm vm = Optional.ofNullable(request.fleet().vms().get(name))
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
        List<Placement> placements = new ArrayList<>(placements(request, movers));
        placements.addAll(blocked);
        return new Plan(placements);
    }

    private List<Placement> placements(PlanRequest request, List<PlacedVm> movers) {
        Planned alone = planned(request, movers, List.of());
        List<PlacedVm> neighbours = alone.unmoved().isEmpty() ? List.of() : neighbours(request, movers);
        if (neighbours.isEmpty()) {
            return checked(request, alone, _ -> "");
        }
        Planned raw = planned(request, movers, neighbours);
        Planned together = ExtraMoves.fewest(raw.live(), raw.plan())
                .map(fewer -> new Planned(raw.live(), fewer))
                .orElse(alone);
        Set<String> behind = together.unmoved();
        if (behind.size() >= alone.unmoved().size()) {
            return checked(request, alone, _ -> NO_WAY);
        }
        if (request.makeRoom()) {
            return placements(request, together, _ -> NO_WAY);
        }
        return checked(
                request,
                alone,
                vm -> behind.contains(vm)
                        ? NO_WAY
                        : "; there would be room if " + steps(together, vm) + ", but no other VM may be moved");
    }

    private Planned planned(PlanRequest request, List<PlacedVm> movers, List<PlacedVm> neighbours) {
        PlanCase live = LiveCase.of(
                request.fleet(),
                request.drained(),
                movers,
                neighbours,
                request.avoid(),
                hostMbit,
                TransferModel.STANDARD.limitedTo(request.bytesPerSecond()));
        return new Planned(live, BatchPlanner.plan(live, EFFORT));
    }

    /** Those that may be moved: nothing is known against it, and where they are something else could come. */
    private static List<PlacedVm> neighbours(PlanRequest request, List<PlacedVm> movers) {
        Set<String> left = new HashSet<>(request.drained());
        movers.forEach(vm -> left.add(vm.host()));
        return request.neighbours().stream()
                .sorted()
                .flatMap(name -> Optional.ofNullable(request.fleet().vms().get(name)).stream())
                .filter(vm -> vm.blockers().isEmpty() && !left.contains(vm.host()))
                .filter(vm -> Optional.ofNullable(request.fleet().hosts().get(vm.host()))
                        .filter(room -> room.closed().isEmpty())
                        .isPresent())
                .toList();
    }

    /** With a plan that has not been replayed yet. */
    private List<Placement> checked(PlanRequest request, Planned planned, Function<String, String> more) {
        List<Violation> violations = PlanChecker.check(planned.live(), planned.plan());
        if (violations.isEmpty()) {
            return placements(request, planned, more);
        }
        List<Placement> placements = new ArrayList<>();
        planned.plan()
                .moves()
                .forEach(move -> placements.add(new Placement(
                        move.vm(),
                        move.from(),
                        Optional.empty(),
                        Optional.of("the plan does not pass its check: " + violations.getFirst()))));
        placements.addAll(unplaced(request, planned, more));
        return placements;
    }

    /** @param more what else is to be said of a VM that has no place */
    private List<Placement> placements(PlanRequest request, Planned planned, Function<String, String> more) {
        Map<String, List<String>> roomFor =
                ExtraMoves.beneficiaries(planned.live(), planned.plan().moves());
        List<Placement> placements = new ArrayList<>();
        for (ScheduledMove move : planned.plan().moves()) {
            placements.add(new Placement(
                    move.vm(),
                    move.from(),
                    Optional.of(move.to()),
                    Optional.empty(),
                    Optional.of(timing(planned.live(), request.fleet().spec(move.vm()), move)),
                    roomFor.getOrDefault(move.vm(), List.of())));
        }
        placements.addAll(unplaced(request, planned, more));
        return placements;
    }

    private static List<Placement> unplaced(PlanRequest request, Planned planned, Function<String, String> more) {
        if (planned.plan().unmoved().isEmpty()) {
            return List.of();
        }
        Map<String, HostRoom> rooms = new TreeMap<>(request.fleet().hosts());
        for (ScheduledMove move : planned.plan().moves()) {
            VmSpec spec = request.fleet().spec(move.vm());
            rooms.computeIfPresent(move.from(), (_, room) -> room.minus(spec));
            rooms.computeIfPresent(move.to(), (_, room) -> room.plus(spec));
        }
        List<Placement> placements = new ArrayList<>();
        for (Unmoved unmoved : planned.plan().unmoved()) {
            PlacedVm vm = request.fleet().vms().get(unmoved.vm());
            if (vm != null) {
                String why = FirstFit.why(
                                rooms, vm, request.drained(), request.avoid().getOrDefault(unmoved.vm(), Set.of()))
                        .orElse(unmoved.reason());
                placements.add(new Placement(
                        unmoved.vm(), vm.host(), Optional.empty(), Optional.of(why + more.apply(unmoved.vm()))));
            }
        }
        return placements;
    }

    /** The moves of others that let {@code vm} in, in their order, such as {@code vm-x went from host-2 to host-3}. */
    private static String steps(Planned planned, String vm) {
        Map<String, List<String>> roomFor =
                ExtraMoves.beneficiaries(planned.live(), planned.plan().moves());
        Set<String> helped = new HashSet<>(Set.of(vm));
        List<String> steps = new ArrayList<>();
        boolean more = true;
        while (more) {
            more = false;
            for (ScheduledMove move : planned.plan().moves()) {
                if (!helped.contains(move.vm())
                        && roomFor.getOrDefault(move.vm(), List.of()).stream().anyMatch(helped::contains)) {
                    helped.add(move.vm());
                    steps.addFirst(move.vm() + " went from " + move.from() + " to " + move.to());
                    more = true;
                }
            }
        }
        return steps.isEmpty() ? "others made room elsewhere" : String.join(" and ", steps);
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
