package io.godwit.proto.ownership;

import io.godwit.proto.WireMessage;

/** The ledger's answer. When it arrives, what it says is durable. */
public sealed interface OwnershipReply extends WireMessage {
    /** What the ledger holds now. */
    OwnershipView view();

    /** Done, now or by an earlier copy of the same request. */
    record OwnershipAccepted(OwnershipView view) implements OwnershipReply {}

    /** Not done; nothing changed. */
    record OwnershipRefused(String reason, OwnershipView view) implements OwnershipReply {}
}
