package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.VmSpec;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a coordinator asks of a host agent. Every command may be repeated without harm. Those of a migration carry
 * (migration, epoch); their outcome goes to {@code Migration[migration]} as a {@link
 * io.godwit.proto.migration.MigrationReport}, wherever that entity lives by then.
 */
public sealed interface HostCommand extends WireMessage {
    /** Creates a VM and runs it, under the grant (this host, epoch). Answer: {@link HostReply}. */
    record CreateVm(VmSpec spec, long epoch, ActorRef<HostReply> replyTo) implements HostCommand {}

    /** Stops and destroys a VM held under {@code epoch} or an older one. Answer: {@link HostReply}. */
    record DestroyVm(String vm, long epoch, ActorRef<HostReply> replyTo) implements HostCommand {}

    /** Checks the guest's own rule. Answer: {@link HostReply}. */
    record CheckVm(String vm, ActorRef<HostReply> replyTo) implements HostCommand {}

    /** Makes an empty copy of the VM, RAM prefaulted, ready to receive. Reports IncomingReady or IncomingFailed. */
    record PrepareIncoming(String migration, VmSpec spec, String from, long epoch, MigrationOptions options)
            implements HostCommand {}

    /** Starts pre-copy to {@code destination}. Reports SaveProgress, then ReadyToSwitchOver or SaveFailed. */
    record BeginSave(
            String migration,
            String vm,
            long epoch,
            DataEndpoint destination,
            MigrationOptions options,
            SaveLimits limits)
            implements HostCommand {}

    /** Changes the limits of a save path that pre-copies; the progress it reports says which are in force. */
    record AdjustSave(String migration, String vm, long epoch, SaveLimits limits) implements HostCommand {}

    /** Asks how a VM stands and what its devices saw. Answer: {@link HostReply}. */
    record DescribeVm(String vm, ActorRef<HostReply> replyTo) implements HostCommand {}

    /** The handoff of {@code epoch} is durable: stop the vCPUs and send the rest. Reports SaveFailed, or nothing. */
    record SwitchOver(String migration, String vm, long epoch) implements HostCommand {}

    /**
     * The ledger grants (this host, epoch): run. To the destination after a commit, to the source after an abort.
     * Reports VmRunning.
     */
    record RunVm(String migration, String vm, long epoch) implements HostCommand {}

    /**
     * The handoff is committed and the destination runs: the source destroys its copy. Reports SourceReleased. {@code
     * standingMicros}: what the destination says of how long the VM stood there, loaded; -1 for nothing.
     */
    record ReleaseSource(String migration, String vm, long epoch, long standingMicros) implements HostCommand {
        /** The destination has said nothing of how long the VM stood there. */
        public ReleaseSource(String migration, String vm, long epoch) {
            this(migration, vm, epoch, -1);
        }
    }

    /** The destination destroys its copy, which was never granted. Reports IncomingDiscarded. */
    record DiscardIncoming(String migration, String vm, String reason) implements HostCommand {}

    /** Ends pre-copy; the VM goes on here. Refused once the VM has surrendered. Reports SaveFailed. */
    record CancelSave(String migration, String vm, String reason) implements HostCommand {}
}
