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
import io.godwit.plan.Planner;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationOptions;
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

    /** The plan of a batch whose hosts are cordoned, or of VMs that have come to them since it was planned. */
    List<EvacuationEvent> plan(Asked state, FleetShown fleet) {
        return List.of(new EvacuationPlanned(planFor(state.job(), state.rows(), fleet, new HashMap<>())));
    }

    /** The plan that an evacuation of {@code hosts} would make now. */
    public Plan dryRun(List<String> hosts, MigrationOptions options, FleetShown fleet) {
        var job = new EvacuationJob("", hosts, options, 0);
        Map<String, Timing> timings = new HashMap<>();
        return new Plan(planFor(job, List.of(), fleet, timings).stream()
                .map(vm -> new Placement(
                        vm.spec().name(),
                        vm.from(),
                        vm.to(),
                        vm.reason(),
                        Optional.ofNullable(timings.get(vm.spec().name()))))
                .toList());
    }

    /** Other destinations for waiting VMs that need one, planned together. */
    List<EvacuationEvent> again(Running state, FleetShown fleet) {
        FleetIndex index = FleetIndex.of(fleet);
        List<EvacuationRow> rows = EvacuationRules.homeless(state, index);
        Set<String> names = new HashSet<>();
        rows.forEach(row -> names.add(row.vm()));
        Fleet picture = Fleet.of(fleet)
                .with(reservations(state.rows().stream()
                        .filter(row -> !names.contains(row.vm()))
                        .toList()));
        List<EvacuationEvent> events = new ArrayList<>();
        List<String> movers = new ArrayList<>();
        Map<String, Set<String>> avoid = new HashMap<>();
        Map<String, EvacuationRow> byName = new HashMap<>();
        for (EvacuationRow row : rows) {
            if (picture.vms().containsKey(row.vm())) {
                movers.add(row.vm());
                avoid.put(row.vm(), Set.copyOf(row.failedAt()));
                byName.put(row.vm(), row);
            } else {
                events.add(
                        new VmMigrationSettled(row.vm(), RowState.FAILED, Optional.of("no host reports it any more")));
            }
        }
        if (movers.isEmpty()) {
            return events;
        }
        for (Placement placement : planner.plan(
                        picture,
                        Set.copyOf(state.job().hosts()),
                        movers,
                        avoid,
                        state.job().options().bandwidthBytesPerSecond())
                .placements()) {
            EvacuationRow row = byName.get(placement.vm());
            if (row != null) {
                events.add(replanned(row, placement, index));
            }
        }
        return events;
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
        Fleet picture = Fleet.of(fleet).with(reservations(rows));
        for (Placement placement : planner.plan(
                        picture,
                        Set.copyOf(job.hosts()),
                        movers,
                        Map.of(),
                        job.options().bandwidthBytesPerSecond())
                .placements()) {
            placement.timing().ifPresent(timing -> timings.put(placement.vm(), timing));
            planned.add(new PlannedVm(
                    picture.spec(placement.vm()),
                    placement.from(),
                    placement.to(),
                    placement.to().isPresent() ? RowState.WAITING : RowState.UNPLACEABLE,
                    placement.reason()));
        }
        return planned;
    }

    private static PlannedVm still(VmView vm, RowState state, String why) {
        return new PlannedVm(vm.spec(), vm.host().orElse(""), Optional.empty(), state, Optional.of(why));
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
                        .or(() -> was));
    }

    private static List<Reservation> reservations(List<EvacuationRow> rows) {
        return rows.stream()
                .filter(row -> !row.state().settled() && row.to().isPresent())
                .map(row -> new Reservation(row.spec(), row.to().get()))
                .toList();
    }
}
