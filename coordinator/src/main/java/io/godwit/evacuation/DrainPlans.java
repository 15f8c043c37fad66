package io.godwit.evacuation;

import io.godwit.convergence.Policies;
import io.godwit.evacuation.EvacuationEvent.EvacuationPlanned;
import io.godwit.evacuation.EvacuationEvent.PlannedVm;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmReplanned;
import io.godwit.evacuation.EvacuationState.Asked;
import io.godwit.evacuation.EvacuationState.EvacuationJob;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.plan.Fleet;
import io.godwit.plan.Fleet.Reservation;
import io.godwit.plan.Placement;
import io.godwit.plan.Placement.Timing;
import io.godwit.plan.Plan;
import io.godwit.plan.PlanRequest;
import io.godwit.plan.Planner;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The plans of an evacuation, as events. All of it may take as long as the planner does, seconds with a large fleet: nothing here is
 * called in an actor. Pure, given a pure planner.
 */
public final class DrainPlans {
    private final Planner planner;
    private final Policies policies;

    /** @param policies ladders of VMs that do not converge */
    public DrainPlans(Planner planner, Policies policies) {
        this.planner = planner;
        this.policies = policies;
    }

    /**
     * The plan of a batch whose hosts are cordoned, or of VMs that have come to them since it was planned; nothing if it is too early to
     * say what cannot be moved.
     */
    List<EvacuationEvent> plan(Asked state, FleetShown fleet) {
        return believed(
                List.of(new EvacuationPlanned(planFor(state.job(), state.rows(), fleet, new HashMap<>()))), fleet);
    }

    /** A plan that gives a VM up is not believed while hosts have yet to report: the next one has them. */
    private static List<EvacuationEvent> believed(List<EvacuationEvent> events, FleetShown fleet) {
        return fleet.partial() && events.stream().anyMatch(DrainPlans::givesUp) ? List.of() : events;
    }

    private static boolean givesUp(EvacuationEvent event) {
        return switch (event) {
            case EvacuationPlanned(var vms) ->
                vms.stream().anyMatch(vm -> vm.to().isEmpty());
            case VmReplanned replanned -> replanned.to().isEmpty();
            case VmMigrationSettled settled -> settled.state() != RowState.STAYS;
            default -> false;
        };
    }

    /** The plan that an evacuation of {@code hosts} would make now. */
    public Plan dryRun(List<String> hosts, MigrationOptions options, boolean makeRoom, FleetShown fleet) {
        var job = new EvacuationJob("", hosts, options, makeRoom, 0);
        Map<String, Timing> timings = new HashMap<>();
        return new Plan(planFor(job, List.of(), fleet, timings).stream()
                .map(vm -> new Placement(
                        vm.spec().name(),
                        vm.from(),
                        vm.to(),
                        vm.reason(),
                        Optional.ofNullable(timings.get(vm.spec().name())),
                        vm.makesRoomFor()))
                .toList());
    }

    /**
     * Other destinations for waiting VMs that need one, planned together. Where some still wait to make room, all that has not been started
     * is planned anew: who goes where hangs together then. Nothing if it is too early to say what cannot be moved.
     */
    List<EvacuationEvent> again(Running state, FleetShown fleet) {
        FleetIndex index = FleetIndex.of(fleet);
        boolean all = state.rows().stream().anyMatch(row -> row.extra() && row.state() == RowState.WAITING);
        List<EvacuationRow> rows = all
                ? state.rows().stream()
                        .filter(row -> row.state() == RowState.WAITING)
                        .toList()
                : EvacuationRules.homeless(state, index);
        Set<String> names = new HashSet<>();
        rows.forEach(row -> names.add(row.vm()));
        Fleet picture = Fleet.of(fleet)
                .with(reservations(
                        state.rows().stream()
                                .filter(row -> !names.contains(row.vm()))
                                .toList(),
                        index));
        List<EvacuationEvent> events = new ArrayList<>();
        List<String> movers = new ArrayList<>();
        for (EvacuationRow row : rows) {
            if (!row.extra() && picture.vms().containsKey(row.vm())) {
                movers.add(row.vm());
            } else if (!row.extra()) {
                events.add(
                        new VmMigrationSettled(row.vm(), RowState.FAILED, Optional.of("no host reports it any more")));
            }
        }
        Map<String, Set<String>> avoid = new HashMap<>();
        state.rows().forEach(row -> avoid.put(row.vm(), Set.copyOf(row.failedAt())));
        List<Placement> placements = movers.isEmpty()
                ? List.of()
                : placements(
                        new PlanRequest(
                                picture,
                                Set.copyOf(state.job().hosts()),
                                movers,
                                avoid,
                                state.job().options().bandwidthBytesPerSecond(),
                                neighbours(state.job(), state.rows(), index),
                                state.job().makeRoom()),
                        index);
        Map<String, EvacuationRow> known = rows(state);
        List<PlannedVm> more = new ArrayList<>();
        Set<String> used = new HashSet<>();
        for (Placement placement : placements) {
            used.add(placement.vm());
            EvacuationRow row = known.get(placement.vm());
            if (row == null) {
                more.add(planned(picture, placement));
            } else if (changes(row, placement)) {
                events.add(replanned(row, placement, index));
            }
        }
        rows.stream()
                .filter(row -> row.extra() && !used.contains(row.vm()))
                .forEach(row -> events.add(new VmMigrationSettled(
                        row.vm(),
                        RowState.STAYS,
                        Optional.of(row.reason().orElse("its place is not needed any more")))));
        if (!more.isEmpty()) {
            events.add(new EvacuationPlanned(more));
        }
        return believed(events, fleet);
    }

    private static boolean changes(EvacuationRow row, Placement placement) {
        return row.state() != RowState.WAITING
                || placement.to().isEmpty()
                || !placement.to().equals(row.to())
                || !placement.makesRoomFor().equals(row.makesRoomFor());
    }

    /**
     * VMs of other hosts that may be moved where one of these hosts fits nowhere otherwise: they run, nobody moves them, nothing is known
     * against their migration, and this evacuation has not moved them or given them up yet. A host that is cordoned or away has none: its
     * place is of no use, and it may be another evacuation's.
     */
    private Set<String> neighbours(EvacuationJob job, List<EvacuationRow> rows, FleetIndex fleet) {
        Set<String> done = new HashSet<>();
        rows.stream()
                .filter(row -> !row.extra() || row.state() != RowState.WAITING && row.state() != RowState.STAYS)
                .forEach(row -> done.add(row.vm()));
        Set<String> neighbours = new HashSet<>();
        for (VmView vm : fleet.shown().vms()) {
            boolean free = vm.state().equals(RunState.RUNNING.name())
                    && vm.migration().isEmpty()
                    && !done.contains(vm.spec().name())
                    && vm.host()
                            .filter(host -> !job.hosts().contains(host)
                                    && fleet.closed(host).isEmpty())
                            .isPresent();
            if (free && policies.fault(vm.spec(), job.options()).isEmpty()) {
                neighbours.add(vm.spec().name());
            }
        }
        return neighbours;
    }

    /**
     * Whether {@code events}, planned from {@code then}, may be applied to {@code now}: all that they change is as it was. What has
     * been planned elsewhere meanwhile is nothing, for there is one plan at a time, so no room is given twice.
     */
    static boolean stillFits(EvacuationState then, EvacuationState now, List<EvacuationEvent> events) {
        if (!(then instanceof Asked before) || !(now instanceof Asked after) || before.getClass() != after.getClass()) {
            return false;
        }
        Map<String, EvacuationRow> were = rows(before);
        Map<String, EvacuationRow> are = rows(after);
        return events.stream()
                .flatMap(event -> touched(event).stream())
                .allMatch(vm -> Optional.ofNullable(were.get(vm)).equals(Optional.ofNullable(are.get(vm))));
    }

    private static Map<String, EvacuationRow> rows(Asked state) {
        Map<String, EvacuationRow> rows = new HashMap<>();
        state.rows().forEach(row -> rows.put(row.vm(), row));
        return rows;
    }

    /** Rows that what a plan leads to adds or changes. */
    private static List<String> touched(EvacuationEvent event) {
        return switch (event) {
            case EvacuationPlanned(var vms) ->
                vms.stream().map(vm -> vm.spec().name()).toList();
            case VmReplanned replanned -> List.of(replanned.vm());
            case VmMigrationSettled settled -> List.of(settled.vm());
            case EvacuationEvent.EvacuationRequested _,
                    EvacuationEvent.VmMigrationStarted _,
                    EvacuationEvent.EvacuationFinished _ ->
                throw new IllegalArgumentException("no plan makes " + event);
        };
    }

    /** @param timings gets when each VM moves, where that is planned */
    private List<PlannedVm> planFor(
            EvacuationJob job, List<EvacuationRow> rows, FleetShown fleet, Map<String, Timing> timings) {
        List<PlannedVm> planned = new ArrayList<>();
        List<String> movers = new ArrayList<>();
        for (VmView vm : EvacuationRules.unplanned(job, rows, fleet)) {
            switch (vm.state()) {
                case "LOST" -> planned.add(still(vm, RowState.LOST, inState(vm)));
                case "INTERNAL_ERROR" -> planned.add(still(vm, RowState.FAILED, inState(vm)));
                default ->
                    policies.fault(vm.spec(), job.options())
                            .ifPresentOrElse(
                                    why -> planned.add(still(vm, RowState.FAILED, why)),
                                    () -> movers.add(vm.spec().name()));
            }
        }
        FleetIndex index = FleetIndex.of(fleet);
        Fleet picture = Fleet.of(fleet).with(reservations(rows, index));
        var request = new PlanRequest(
                picture,
                Set.copyOf(job.hosts()),
                movers,
                Map.of(),
                job.options().bandwidthBytesPerSecond(),
                // a VM has one row: those that have one already are not planned for a second time
                without(neighbours(job, rows, index), rows),
                job.makeRoom());
        for (Placement placement : placements(request, index)) {
            placement.timing().ifPresent(timing -> timings.put(placement.vm(), timing));
            planned.add(planned(picture, placement));
        }
        return planned;
    }

    /**
     * With the room that there is now; where that is too little, with the room of VMs that are on their way out as well, whoever moves
     * them: who is placed there waits for it, and is planned anew if it does not come.
     */
    private List<Placement> placements(PlanRequest request, FleetIndex fleet) {
        Plan now = planner.plan(request);
        List<Reservation> leaving = fleet.leaving();
        if (now.complete() || leaving.isEmpty()) {
            return now.placements();
        }
        Plan later = planner.plan(request.in(request.fleet().without(leaving)));
        return (later.unplaced() < now.unplaced() ? later : now).placements();
    }

    private static Set<String> without(Set<String> names, List<EvacuationRow> rows) {
        rows.forEach(row -> names.remove(row.vm()));
        return names;
    }

    private static PlannedVm planned(Fleet picture, Placement placement) {
        return new PlannedVm(
                picture.spec(placement.vm()),
                placement.from(),
                placement.to(),
                placement.to().isPresent() ? RowState.WAITING : RowState.UNPLACEABLE,
                placement.reason(),
                placement.makesRoomFor());
    }

    private static PlannedVm still(VmView vm, RowState state, String why) {
        return new PlannedVm(vm.spec(), vm.host().orElse(""), Optional.empty(), state, Optional.of(why), List.of());
    }

    private static String inState(VmView vm) {
        return vm.failure().orElse("the guest is in " + vm.state());
    }

    private static VmReplanned replanned(EvacuationRow row, Placement placement, FleetIndex fleet) {
        Optional<String> was =
                row.reason().or(() -> row.to().flatMap(to -> fleet.closed(to).map(why -> "host " + to + " " + why)));
        return new VmReplanned(
                row.vm(),
                placement.to(),
                placement
                        .reason()
                        .map(why -> was.map(before -> before + "; then: " + why).orElse(why))
                        .or(() -> was),
                placement.makesRoomFor());
    }

    private static List<Reservation> reservations(List<EvacuationRow> rows, FleetIndex fleet) {
        return rows.stream()
                .filter(row ->
                        (!row.state().settled() || fleet.stale(row)) && row.to().isPresent())
                .map(row -> new Reservation(row.spec(), row.to().get()))
                .toList();
    }
}
