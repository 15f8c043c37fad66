package io.godwit.evacuation;

import io.godwit.proto.WireMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;

/** What has happened to one evacuation. Times are milliseconds since 1970, UTC, for showing only. */
public sealed interface EvacuationEvent extends WireMessage {
    /** Somebody wants {@code hosts} emptied. */
    record EvacuationRequested(List<String> hosts, MigrationOptions options, long atMs) implements EvacuationEvent {
        public EvacuationRequested {
            hosts = List.copyOf(hosts);
        }
    }

    /** These VMs were found on the hosts, and this is where they go; added to those planned before. */
    record EvacuationPlanned(List<PlannedVm> vms) implements EvacuationEvent {
        public EvacuationPlanned {
            vms = List.copyOf(vms);
        }
    }

    /**
     * One VM of a plan.
     *
     * @param to destination, if there is one
     * @param state WAITING with a destination; UNPLACEABLE, LOST or FAILED with a reason
     */
    record PlannedVm(VmSpec spec, String from, Optional<String> to, RowState state, Optional<String> reason)
            implements WireMessage {}

    /** A migration of {@code vm} begins, from the epoch that the ledger holds. */
    record VmMigrationStarted(String vm, String migration, long epoch) implements EvacuationEvent {}

    /** It has ended. {@code state}: MOVED, LOST, FAILED, or WAITING when another destination is to be found. */
    record VmMigrationSettled(String vm, RowState state, Optional<String> reason) implements EvacuationEvent {}

    /** A waiting VM has another destination; with none it is UNPLACEABLE. */
    record VmReplanned(String vm, Optional<String> to, Optional<String> reason) implements EvacuationEvent {}

    /** No VM is left to move. {@code completed}: every one has moved. */
    record EvacuationFinished(boolean completed, long atMs) implements EvacuationEvent {}
}
