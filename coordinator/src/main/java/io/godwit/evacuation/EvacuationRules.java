package io.godwit.evacuation;

import io.godwit.convergence.Policies;
import io.godwit.evacuation.EvacuationEvent.EvacuationFinished;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmMigrationStarted;
import io.godwit.evacuation.EvacuationEvent.VmReplanned;
import io.godwit.evacuation.EvacuationState.EvacuationJob;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What an evacuation makes of what it hears, plans excepted ({@link DrainPlans}). Pure, and quick. */
public final class EvacuationRules {
    private final Policies policies;
    private final int attemptsMax;

    /**
     * @param policies ladders of VMs that do not converge
     * @param attemptsMax migrations of one VM before it is given up
     */
    public EvacuationRules(Policies policies, int attemptsMax) {
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

    /** What the fleet's latest picture changes without a plan: VMs that are lost, that need not make room any more, or the end. */
    static List<EvacuationEvent> onFleet(Running state, FleetIndex fleet, long nowMs) {
        List<EvacuationEvent> events = new ArrayList<>();
        for (EvacuationRow row : state.rows()) {
            if (row.state() == RowState.WAITING) {
                lost(row, fleet).ifPresent(events::add);
            }
        }
        if (events.isEmpty() && homeless(state, fleet).isEmpty()) {
            Turns turns = new Turns(state, fleet);
            state.rows().stream()
                    .filter(row -> row.state() == RowState.WAITING && row.extra() && !turns.needed(row))
                    .map(row -> settled(row, RowState.STAYS, "its place is not needed any more"))
                    .forEach(events::add);
        }
        if (!fleet.shown().partial()
                && allSettled(state)
                && unplanned(state.job(), state.rows(), fleet.shown()).isEmpty()) {
            events.add(new EvacuationFinished(
                    state.rows().stream().allMatch(row -> row.extra() || row.state() == RowState.MOVED), nowMs));
        }
        return events;
    }

    /** Whether VMs have come to the hosts when all others had left. */
    static boolean wantsMore(Running state, FleetIndex fleet) {
        return allSettled(state)
                && !unplanned(state.job(), state.rows(), fleet.shown()).isEmpty();
    }

    /** Waiting VMs that need another destination: they have none, it is closed, or others have filled it. */
    static List<EvacuationRow> homeless(Running state, FleetIndex fleet) {
        Turns turns = new Turns(state, fleet);
        return state.rows().stream()
                .filter(row -> row.state() == RowState.WAITING
                        && (row.to().isEmpty()
                                || !fleet.awaited(row.to().get())
                                        && (fleet.closed(row.to().get()).isPresent() || turns.hopeless(row))))
                .toList();
    }

    /** VMs on the hosts of {@code job} that are not among {@code rows}. */
    static List<VmView> unplanned(EvacuationJob job, List<EvacuationRow> rows, FleetShown fleet) {
        Set<String> drained = Set.copyOf(job.hosts());
        Set<String> known = new HashSet<>();
        rows.forEach(row -> known.add(row.vm()));
        return fleet.vms().stream()
                .filter(vm -> vm.host().filter(drained::contains).isPresent()
                        && !known.contains(vm.spec().name()))
                .toList();
    }

    private static boolean allSettled(Running state) {
        return state.rows().stream().allMatch(row -> row.state().settled());
    }

    /** The ledger's word on a VM whose turn it is: start, or see that there is nothing to move from here. */
    static List<EvacuationEvent> onLedger(
            EvacuationRow row, EvacuationJob job, OwnershipView ledger, FleetIndex fleet) {
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
        boolean runs = fleet.vm(row.vm()).stream()
                .anyMatch(vm -> vm.host().filter(owner::equals).isPresent()
                        && (vm.state().equals(RunState.RUNNING.name())
                                || vm.state().equals(RunState.PAUSED.name())));
        if (runs) {
            Optional<String> why = Optional.of("it is on host " + owner + " already");
            return List.of(
                    new VmReplanned(row.vm(), Optional.of(owner), why),
                    new VmMigrationSettled(row.vm(), RowState.MOVED, why));
        }
        if (fleet.awaited(owner)) {
            return List.of();
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

    /** A waiting VM that has died with its host needs no migration to find that out, and one whose host is not to be heard of again. */
    private static Optional<EvacuationEvent> lost(EvacuationRow row, FleetIndex fleet) {
        return fleet.vm(row.vm())
                .filter(vm -> vm.state().equals("LOST")
                        || vm.state().equals("MISSING")
                                && !vm.spec().outlivesAgent()
                                && !fleet.shown().partial()
                                && fleet.host(row.from()).isEmpty())
                .map(vm -> new VmMigrationSettled(row.vm(), RowState.LOST, vm.failure()));
    }

    private static VmMigrationSettled settled(EvacuationRow row, RowState state, String reason) {
        return new VmMigrationSettled(row.vm(), state, Optional.of(reason));
    }
}
