package io.godwit.evacuation;

import io.godwit.proto.WireMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;

/** What has happened to one evacuation. Times are milliseconds since 1970, UTC, for showing only. */
public sealed interface EvacuationEvent extends WireMessage {
    /**
     * Somebody wants {@code hosts} emptied.
     *
     * @param makeRoom whether VMs of other hosts may be moved where that is the only way
     */
    record EvacuationRequested(List<String> hosts, MigrationOptions options, boolean makeRoom, long atMs)
            implements EvacuationEvent {
        public EvacuationRequested {
            hosts = List.copyOf(hosts);
        }
    }

    /** These VMs were found on the hosts or are to make room, and this is where they go; added to those planned before. */
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
     * @param makesRoomFor VMs that take its place; none for a VM of the hosts to be emptied
     */
    record PlannedVm(
            VmSpec spec,
            String from,
            Optional<String> to,
            RowState state,
            Optional<String> reason,
            List<String> makesRoomFor)
            implements WireMessage {
        public PlannedVm {
            makesRoomFor = List.copyOf(makesRoomFor);
        }
    }

    /** A migration of {@code vm} begins, from the epoch that the ledger holds. */
    record VmMigrationStarted(String vm, String migration, long epoch) implements EvacuationEvent {}

    /**
     * It has ended, or need not begin. {@code state}: MOVED, LOST, FAILED, STAYS, or WAITING when another destination is to be found.
     */
    record VmMigrationSettled(String vm, RowState state, Optional<String> reason) implements EvacuationEvent {}

    /**
     * A waiting VM, or one that was to make room and stayed, has another destination; with none it is UNPLACEABLE.
     *
     * @param makesRoomFor VMs that take its place; empty for as before
     */
    record VmReplanned(String vm, Optional<String> to, Optional<String> reason, List<String> makesRoomFor)
            implements EvacuationEvent {
        public VmReplanned {
            makesRoomFor = List.copyOf(makesRoomFor);
        }

        /** For a VM that makes room for nobody, or for whom it did. */
        public VmReplanned(String vm, Optional<String> to, Optional<String> reason) {
            this(vm, to, reason, List.of());
        }
    }

    /** No VM is left to move. {@code completed}: every one of the hosts has moved. */
    record EvacuationFinished(boolean completed, long atMs) implements EvacuationEvent {}
}
