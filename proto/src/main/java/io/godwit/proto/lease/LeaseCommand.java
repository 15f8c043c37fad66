package io.godwit.proto.lease;

import io.godwit.proto.WireMessage;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** What may be asked of the singleton that lends hosts the right to run VMs whose policy is {@code restart}. */
public sealed interface LeaseCommand extends WireMessage {
    /** Where the answer goes. */
    ActorRef<LeaseReply> replyTo();

    /** The same question, to be answered to {@code other}. */
    default LeaseCommand repliedTo(ActorRef<LeaseReply> other) {
        return switch (this) {
            case RenewLeases c -> new RenewLeases(c.host(), c.number(), c.vms(), other);
            case FenceVm c -> new FenceVm(c.vm(), c.epoch(), c.atOnce(), other);
        };
    }

    /**
     * A host asks for leases, or for more time.
     *
     * @param number of this question, the host's own count: it reckons the lease from when it sent the question of that number
     * @param vms those that it has, each under the epoch that it runs it under, or would
     */
    record RenewLeases(String host, long number, List<LeasedVm> vms, ActorRef<LeaseReply> replyTo)
            implements LeaseCommand {
        public RenewLeases {
            vms = List.copyOf(vms);
        }
    }

    /**
     * A coordinator wants it to be certain that {@code vm} runs nowhere under {@code epoch} or an older one, and never will
     * again: no lease under these is renewed any more, and the last one has run out.
     *
     * @param atOnce not to wait until the last one has run out: the asker sees to it in another way that the VM does not run
     */
    record FenceVm(String vm, long epoch, boolean atOnce, ActorRef<LeaseReply> replyTo) implements LeaseCommand {}
}
