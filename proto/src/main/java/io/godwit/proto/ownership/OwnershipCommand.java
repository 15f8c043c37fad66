package io.godwit.proto.ownership;

import io.godwit.proto.WireMessage;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What may be asked of {@code Ownership[vm]}, the only authority on who runs a VM. Every command carries the VM it is
 * meant for, and may be repeated without harm.
 */
public sealed interface OwnershipCommand extends WireMessage {
    /** The VM it is meant for; an entity refuses a foreign one. */
    String vm();

    /** Where the answer goes. */
    ActorRef<OwnershipReply> replyTo();

    /** The same question, to be answered to {@code other}. */
    default OwnershipCommand repliedTo(ActorRef<OwnershipReply> other) {
        return switch (this) {
            case ClaimOwnership c -> new ClaimOwnership(c.vm(), c.host(), other);
            case BeginHandoff c ->
                new BeginHandoff(c.vm(), c.migration(), c.from(), c.to(), c.epoch(), c.deadlineMs(), other);
            case CommitHandoff c -> new CommitHandoff(c.vm(), c.migration(), c.epoch(), other);
            case AbortHandoff c -> new AbortHandoff(c.vm(), c.migration(), c.epoch(), c.reason(), other);
            case ReleaseOwnership c -> new ReleaseOwnership(c.vm(), c.host(), c.epoch(), other);
            case FenceOwnership c -> new FenceOwnership(c.vm(), c.host(), c.epoch(), c.reason(), other);
            case RestartOwnership c -> new RestartOwnership(c.vm(), c.host(), c.epoch(), other);
            case QueryOwnership c -> new QueryOwnership(c.vm(), other);
        };
    }

    /** A new VM shall run on {@code host}: accepted once per VM, with epoch 1. */
    record ClaimOwnership(String vm, String host, ActorRef<OwnershipReply> replyTo) implements OwnershipCommand {}

    /** Opens a handoff before the source stops its vCPUs. {@code epoch} is the one the source holds. */
    record BeginHandoff(
            String vm,
            String migration,
            String from,
            String to,
            long epoch,
            long deadlineMs,
            ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /** The commit point: the destination becomes owner with {@code epoch + 1}. */
    record CommitHandoff(String vm, String migration, long epoch, ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /** The source stays owner, with {@code epoch + 1}; excludes a commit of the same handoff for ever. */
    record AbortHandoff(String vm, String migration, long epoch, String reason, ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /** The VM is destroyed by {@code host}, which held {@code epoch}: nobody may run it any more. */
    record ReleaseOwnership(String vm, String host, long epoch, ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /**
     * It is certain that {@code host}, which holds {@code epoch}, does not run the VM and never will again under it: nobody
     * owns it until it is started anew. The certainty is the asker's: a lease that ran out, or a person's word.
     */
    record FenceOwnership(String vm, String host, long epoch, String reason, ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /** A VM that was fenced off under {@code epoch} shall be started anew on {@code host}, under {@code epoch + 1}. */
    record RestartOwnership(String vm, String host, long epoch, ActorRef<OwnershipReply> replyTo)
            implements OwnershipCommand {}

    /** Asks what the ledger holds; changes nothing. */
    record QueryOwnership(String vm, ActorRef<OwnershipReply> replyTo) implements OwnershipCommand {}
}
