package io.godwit.evacuation;

import io.godwit.proto.WireMessage;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;

/** What has happened to one migration. Persisted before anything is done about it. */
public sealed interface MigrationEvent extends WireMessage {
    /**
     * Somebody wants {@code spec} moved; the source holds {@code epoch}.
     *
     * @param ladder what is done when it does not converge, as policies stood then
     * @param limits it begins with
     */
    record MigrationRequested(
            VmSpec spec,
            String from,
            String to,
            long epoch,
            MigrationOptions options,
            Optional<String> evacuation,
            String ladder,
            SaveLimits limits)
            implements MigrationEvent {}

    /** The destination waits for the stream at {@code endpoint}. */
    record DestinationPrepared(DataEndpoint endpoint) implements MigrationEvent {}

    /** The source has connected. */
    record PreCopyBegan() implements MigrationEvent {}

    /** It did not converge, or an operator has asked for it: {@code step.limits} are in force from now on. {@code rung}: next on the ladder. */
    record ConvergenceStepTaken(ConvergenceStep step, int rung) implements MigrationEvent {}

    /** The source predicts a blackout within the limit: the ledger is to open the handoff. */
    record HandoffWanted(SaveStats stats) implements MigrationEvent {}

    /** The ledger has opened it: the source may stop the VM. */
    record HandoffOpened() implements MigrationEvent {}

    /** The destination holds everything and stands still: the ledger is to commit. */
    record DestinationLoaded(boolean verified) implements MigrationEvent {}

    /** The ledger has committed: the destination owns the VM under {@code epoch}. */
    record HandoffCommitted(long epoch) implements MigrationEvent {}

    /** The destination runs the VM. {@code standingMicros}: how long it stood there, loaded; -1 when not said. */
    record DestinationRan(List<StateTriple> states, long standingMicros) implements MigrationEvent {
        public DestinationRan {
            states = List.copyOf(states);
        }
    }

    /** The source has destroyed its copy: completed. {@code devices}: what its devices had seen. */
    record SourceLetGo(SaveStats stats, Downtime downtime, List<StateTriple> states, List<DeviceLog> devices)
            implements MigrationEvent {
        public SourceLetGo {
            devices = List.copyOf(devices);
            states = List.copyOf(states);
        }
    }

    /**
     * The migration cannot, or shall not, go on. With a handoff wanted or open the ledger decides whether it may end.
     *
     * @param stats what the source had reported of its progress by then, which nothing else keeps
     */
    record RollbackBegan(String reason, boolean cancelled, Optional<SaveStats> stats) implements MigrationEvent {
        RollbackBegan(String reason, boolean cancelled) {
            this(reason, cancelled, Optional.empty());
        }
    }

    /** The ledger has aborted: the source owns the VM under {@code epoch}. */
    record HandoffAborted(long epoch) implements MigrationEvent {}

    /** The ledger knows nothing of this handoff and never will: there is nothing to abort. */
    record HandoffDisowned(String reason) implements MigrationEvent {}

    /**
     * The source runs the VM as before; with {@code trouble} it does not, and says why.
     *
     * @param cause why the source had given up by itself, when the destination's word of it came first
     */
    record SourceSettled(List<StateTriple> states, Optional<String> trouble, Optional<String> cause)
            implements MigrationEvent {
        SourceSettled(List<StateTriple> states, Optional<String> trouble) {
            this(states, trouble, Optional.empty());
        }

        public SourceSettled {
            states = List.copyOf(states);
        }
    }

    /** The destination has no copy any more. */
    record DestinationCleared() implements MigrationEvent {}

    /** The source's agent is gone, and the guest with it. */
    record SourceVanished() implements MigrationEvent {}

    /** The destination's agent is gone, and its copy with it. */
    record DestinationVanished() implements MigrationEvent {}

    /** After the commit: the VM will not run at the destination. */
    record MigrationStopped(String reason) implements MigrationEvent {}
}
