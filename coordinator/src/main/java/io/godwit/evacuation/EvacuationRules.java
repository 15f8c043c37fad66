package io.godwit.evacuation;

import io.godwit.convergence.Policies;
import io.godwit.evacuation.EvacuationEvent.EvacuationFinished;
import io.godwit.evacuation.EvacuationEvent.EvacuationPlanned;
import io.godwit.evacuation.EvacuationEvent.PlannedVm;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmMigrationStarted;
import io.godwit.evacuation.EvacuationEvent.VmReplanned;
import io.godwit.evacuation.EvacuationState.EvacuationJob;
import io.godwit.evacuation.EvacuationState.Planning;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.plan.Fleet;
import io.godwit.plan.Fleet.Reservation;
import io.godwit.plan.Placement;
import io.godwit.plan.Placement.Timing;
import io.godwit.plan.Plan;
import io.godwit.plan.Planner;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What an evacuation makes of what it hears. Pure, given a pure planner. */
public final class EvacuationRules {
    private final Planner planner;
    private final Policies policies;
    private final int attemptsMax;

    /**
     * @param policies ladders of VMs that do not converge
     * @param attemptsMax migrations of one VM before it is given up
     */
    public EvacuationRules(Planner planner, Policies policies, int attemptsMax) {
        this.planner = planner;
        this.policies = policies;
        this.attemptsMax = attemptsMax;
    }

    /** Why {@code hosts} cannot be emptied in this way, if they cannot. */
    public Optional<String> fault(List<String> hosts, MigrationOptions options, FleetShown fleet) {
        try {
            policies.named(options.convergence());
        } catch (IllegalArgumentException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
        if (hosts.isEmpty()) {
            return Optional.of("no host named; expected at least one");
        }
        if (new HashSet<>(hosts).size() != hosts.size()) {
            return Optional.of("a host is named twice in " + String.join(", ", hosts));
        }
        return hosts.stream()
                .filter(host -> fleet.hosts().stream()
                        .noneMatch(known ->
                                known.host().equals(host) && known.inventory().isPresent()))
                .findFirst()
                .map(host -> "no host '" + host + "'");
    }

    /** Hosts of the batch on which VMs may still be placed. */
    public static List<String> uncordoned(EvacuationJob job, FleetShown fleet) {
        return job.hosts().stream()
                .filter(host ->
                        fleet.hosts().stream().noneMatch(known -> known.host().equals(host) && known.cordoned()))
                .toList();
    }

    /** The plan of a batch whose hosts are cordoned. */
    public List<EvacuationEvent> plan(Planning state, FleetShown fleet) {
        return List.of(new EvacuationPlanned(planFor(state.job(), List.of(), fleet, new HashMap<>())));
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

    /** What the fleet's latest picture changes: new destinations, late comers, or the end. */
    public List<EvacuationEvent> onFleet(Running state, FleetShown fleet, long nowMs) {
        List<EvacuationEvent> events = new ArrayList<>();
        for (EvacuationRow row : state.rows()) {
            if (row.state() == RowState.WAITING && lost(row, fleet).isPresent()) {
                events.add(lost(row, fleet).get());
                return events;
            }
            if (row.state() == RowState.WAITING
                    && (row.to().isEmpty()
                            || closed(row.to().get(), fleet).isPresent()
                            || hopeless(row, state, fleet))) {
                events.add(replan(state, row, fleet));
                return events; // the next one is planned with this one's room taken
            }
        }
        if (state.rows().stream().allMatch(row -> row.state().settled())) {
            List<PlannedVm> late = planFor(state.job(), state.rows(), fleet, new HashMap<>());
            events.add(
                    late.isEmpty()
                            ? new EvacuationFinished(
                                    state.rows().stream().allMatch(row -> row.state() == RowState.MOVED), nowMs)
                            : new EvacuationPlanned(late));
        }
        return events;
    }

    /** Waiting VMs whose turn it is: within the limits of both hosts, other migrations there counted. */
    public static List<EvacuationRow> startable(Running state, FleetShown fleet) {
        List<EvacuationRow> turn = new ArrayList<>();
        Fleet picture = Fleet.of(fleet);
        List<EvacuationRow> flying = new ArrayList<>(state.rows().stream()
                .filter(row -> row.state() == RowState.MIGRATING)
                .toList());
        for (EvacuationRow row : state.rows()) {
            if (row.state() == RowState.WAITING
                    && row.to().isPresent()
                    && busyElsewhere(row, fleet).isEmpty()
                    && outOfSight(row, fleet).isEmpty()
                    && noSlot(row, flying, state, fleet).isEmpty()
                    && noRoom(row, flying, picture).isEmpty()) {
                turn.add(row);
                flying.add(row);
            }
        }
        return turn;
    }

    /** How it stands, and for what each VM without another reason waits. */
    static EvacuationView explained(Running state, FleetShown fleet, EvacuationView view) {
        List<VmRow> rows = new ArrayList<>();
        for (VmRow shown : view.vms()) {
            Optional<String> waits = EvacuationState.row(state, shown.vm())
                    .filter(row -> row.state() == RowState.WAITING && row.to().isPresent())
                    .flatMap(row -> obstacle(row, state, fleet));
            rows.add(new VmRow(
                    shown.vm(),
                    shown.from(),
                    shown.to(),
                    shown.state(),
                    shown.migrations(),
                    waits.map(why -> shown.reason().map(was -> was + "; " + why).orElse(why))
                            .or(shown::reason)));
        }
        return new EvacuationView(view.id(), view.hosts(), view.state(), rows, view.durationMs());
    }

    private static Optional<String> obstacle(EvacuationRow row, Running state, FleetShown fleet) {
        List<EvacuationRow> flying = state.rows().stream()
                .filter(other -> other.state() == RowState.MIGRATING)
                .toList();
        return busyElsewhere(row, fleet)
                .or(() -> outOfSight(row, fleet))
                .or(() -> noSlot(row, flying, state, fleet))
                .or(() -> noRoom(row, flying, Fleet.of(fleet)));
    }

    /** The ledger's word on a VM whose turn it is: start, or see that there is nothing to move from here. */
    public static List<EvacuationEvent> onLedger(
            EvacuationRow row, EvacuationJob job, OwnershipView ledger, FleetShown fleet) {
        if (ledger.handoff().isPresent()) {
            return List.of(); // somebody else moves it: wait
        }
        if (ledger.grants(row.from())) {
            String id = job.id() + "-" + row.vm() + "-" + (row.migrations().size() + 1);
            return List.of(new VmMigrationStarted(row.vm(), id, ledger.epoch()));
        }
        if (ledger.host().isEmpty()) {
            return List.of(settled(row, RowState.FAILED, "the ledger knows no owner: the vm was destroyed"));
        }
        String owner = ledger.host().get();
        boolean runs = fleet.vms().stream()
                .anyMatch(vm -> vm.spec().name().equals(row.vm())
                        && vm.host().filter(owner::equals).isPresent()
                        && (vm.state().equals(RunState.RUNNING.name())
                                || vm.state().equals(RunState.PAUSED.name())));
        if (runs) {
            Optional<String> why = Optional.of("it is on host " + owner + " already");
            return List.of(
                    new VmReplanned(row.vm(), Optional.of(owner), why),
                    new VmMigrationSettled(row.vm(), RowState.MOVED, why));
        }
        return List.of(settled(row, RowState.LOST, row.reason().orElse("its owner " + owner + " does not run it")));
    }

    /**
     * A migration of this batch as it stands; nothing unless it is the row's latest and has ended, or nothing but its dead or
     * slow destination keeps it from its end: it sees to that by itself, and the VM need not wait for it.
     */
    public List<EvacuationEvent> onMigration(Running state, MigrationView view) {
        Optional<EvacuationRow> found = EvacuationState.row(state, view.vm());
        if (found.isEmpty()
                || found.get().state() != RowState.MIGRATING
                || !found.get().migrations().getLast().equals(view.id())
                || !(view.phase().ended() || view.retryable())) {
            return List.of();
        }
        EvacuationRow row = found.get();
        Optional<String> reason = view.reason();
        if (view.phase() == MigrationPhase.COMPLETED) {
            return List.of(new VmMigrationSettled(row.vm(), RowState.MOVED, row.reason()));
        }
        if (view.sourceLost()) {
            return List.of(new VmMigrationSettled(row.vm(), RowState.LOST, reason));
        }
        boolean giveUp =
                view.phase() == MigrationPhase.CANCELLED || row.migrations().size() >= attemptsMax;
        return List.of(new VmMigrationSettled(row.vm(), giveUp ? RowState.FAILED : RowState.WAITING, reason));
    }

    /** The migration could not even be started. */
    public static List<EvacuationEvent> onRefused(Running state, String migration, String reason) {
        return state.rows().stream()
                .filter(row -> row.state() == RowState.MIGRATING
                        && row.migrations().getLast().equals(migration))
                .map(row -> (EvacuationEvent) settled(row, RowState.FAILED, reason))
                .toList();
    }

    /** A waiting VM that has died with its host needs no migration to find that out. */
    private static Optional<EvacuationEvent> lost(EvacuationRow row, FleetShown fleet) {
        return fleet.vms().stream()
                .filter(vm -> vm.spec().name().equals(row.vm()) && vm.state().equals("LOST"))
                .map(vm -> (EvacuationEvent) new VmMigrationSettled(row.vm(), RowState.LOST, vm.failure()))
                .findFirst();
    }

    private static VmMigrationSettled settled(EvacuationRow row, RowState state, String reason) {
        return new VmMigrationSettled(row.vm(), state, Optional.of(reason));
    }

    /** @param timings gets when each VM moves, where that is planned */
    private List<PlannedVm> planFor(
            EvacuationJob job, List<EvacuationRow> rows, FleetShown fleet, Map<String, Timing> timings) {
        Set<String> drained = Set.copyOf(job.hosts());
        List<PlannedVm> planned = new ArrayList<>();
        List<String> movers = new ArrayList<>();
        for (VmView vm : fleet.vms()) {
            boolean here = vm.host().filter(drained::contains).isPresent();
            boolean known =
                    rows.stream().anyMatch(row -> row.vm().equals(vm.spec().name()));
            if (!here || known) {
                continue;
            }
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
                        picture, drained, movers, Map.of(), job.options().bandwidthBytesPerSecond())
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

    private EvacuationEvent replan(Running state, EvacuationRow row, FleetShown fleet) {
        Fleet picture = Fleet.of(fleet)
                .with(reservations(state.rows().stream()
                        .filter(other -> !other.vm().equals(row.vm()))
                        .toList()));
        if (!picture.vms().containsKey(row.vm())) {
            return settled(row, RowState.FAILED, "no host reports it any more");
        }
        Placement placement = planner.plan(
                        picture,
                        Set.copyOf(state.job().hosts()),
                        List.of(row.vm()),
                        Map.of(row.vm(), Set.copyOf(row.failedAt())),
                        state.job().options().bandwidthBytesPerSecond())
                .placements()
                .getFirst();
        Optional<String> was =
                row.reason().or(() -> row.to().flatMap(to -> closed(to, fleet).map(why -> "host " + to + " " + why)));
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

    private static Optional<String> closed(String host, FleetShown fleet) {
        return Optional.ofNullable(Fleet.of(fleet).hosts().get(host))
                .map(room -> room.closed())
                .orElse(Optional.of("is unknown"));
    }

    /** The migration of somebody else that moves it, if one does. */
    private static Optional<String> busyElsewhere(EvacuationRow row, FleetShown fleet) {
        return fleet.vms().stream()
                .filter(vm -> vm.spec().name().equals(row.vm()))
                .flatMap(vm -> vm.migration().stream())
                .filter(migration -> !row.migrations().contains(migration))
                .findFirst()
                .map(migration -> "waits for the end of migration " + migration);
    }

    /** A QEMU guest whose agent is away may well run, and can be moved once the agent is back: not before. */
    private static Optional<String> outOfSight(EvacuationRow row, FleetShown fleet) {
        return fleet.vms().stream()
                .filter(vm -> vm.spec().name().equals(row.vm())
                        && vm.spec().outlivesAgent()
                        && vm.state().equals("UNKNOWN"))
                .findFirst()
                .map(vm -> "waits for the agent: " + vm.failure().orElse("its host cannot be reached"));
    }

    /** What keeps it from its turn: its destination has no room for it yet, with what is on its way there. */
    private static Optional<String> noRoom(EvacuationRow row, List<EvacuationRow> flying, Fleet picture) {
        String to = row.to().orElseThrow();
        return Optional.ofNullable(picture.with(reservations(flying)).hosts().get(to))
                .filter(room -> !room.holds(row.vm()))
                .map(room -> room.crowded(row.spec()))
                .filter(lacks -> !lacks.isEmpty())
                .map(lacks -> "waits for room: host " + to + " "
                        + lacks.getFirst()
                                .found()
                                .replace("%s", lacks.getFirst().noun()));
    }

    /** Whether its destination has no room for it and nothing is on its way that could make some. */
    private static boolean hopeless(EvacuationRow row, Running state, FleetShown fleet) {
        String to = row.to().orElseThrow();
        return state.rows().stream().noneMatch(other -> other.state() == RowState.MIGRATING)
                && host(fleet, to).stream()
                        .flatMap(host -> host.inventory().orElseThrow().vms().stream())
                        .noneMatch(vm -> vm.migration().isPresent())
                && noRoom(row, List.of(), Fleet.of(fleet)).isPresent();
    }

    /** What keeps it from its turn: a limit of one of its hosts. */
    private static Optional<String> noSlot(
            EvacuationRow row, List<EvacuationRow> flying, Running state, FleetShown fleet) {
        String to = row.to().orElseThrow();
        Optional<HostView> source = host(fleet, row.from());
        Optional<HostView> destination = host(fleet, to);
        if (source.isEmpty() || destination.isEmpty()) {
            return Optional.of("waits for word of host " + (source.isEmpty() ? row.from() : to));
        }
        long leaving = flying.stream().filter(r -> r.from().equals(row.from())).count();
        long arriving = flying.stream()
                .filter(r -> r.to().filter(to::equals).isPresent())
                .count();
        int out = source.get().inventory().orElseThrow().capacity().outgoingMax();
        int in = destination.get().inventory().orElseThrow().capacity().incomingMax();
        if (leaving + others(source.get(), false, state) >= out) {
            return Optional.of("waits its turn: host " + row.from() + " sends " + out + " at a time");
        }
        return arriving + others(destination.get(), true, state) >= in
                ? Optional.of("waits its turn: host " + to + " takes " + in + " at a time")
                : Optional.empty();
    }

    /** Migrations of others that {@code host} takes part in. */
    private static long others(HostView host, boolean incoming, Running state) {
        return host.inventory().orElseThrow().vms().stream()
                .filter(vm -> vm.incoming() == incoming && vm.migration().isPresent())
                .filter(vm -> state.rows().stream()
                        .noneMatch(
                                row -> row.migrations().contains(vm.migration().get())))
                .count();
    }

    private static Optional<HostView> host(FleetShown fleet, String name) {
        return fleet.hosts().stream()
                .filter(host -> host.host().equals(name) && host.inventory().isPresent())
                .findFirst();
    }
}
