package io.godwit.lease;

import io.godwit.proto.WireMessage;

/** What the lender of leases keeps. */
public sealed interface LeaseEvent extends WireMessage {
    /**
     * Nobody else lends. Written before every batch of answers: a lender that was cut off, or slept, and has a successor
     * cannot write it, and so lends nothing.
     */
    record LeaseRoundHeld() implements LeaseEvent {}

    /** No lease of {@code vm} under {@code epoch} or an older one is lent any more, for ever. */
    record LeaseFenced(String vm, long epoch) implements LeaseEvent {}
}
