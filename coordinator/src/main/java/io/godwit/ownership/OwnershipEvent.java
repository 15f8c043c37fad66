package io.godwit.ownership;

import io.godwit.proto.WireMessage;
import io.godwit.proto.ownership.Handoff;

/** What the ledger has decided about one VM. Persisted; never changed afterwards. */
public sealed interface OwnershipEvent extends WireMessage {
    /** {@code host} may run the VM under {@code epoch}. */
    record LedgerClaimed(String host, long epoch) implements OwnershipEvent {}

    /** A handoff is open from now on. */
    record LedgerHandoffBegun(Handoff handoff) implements OwnershipEvent {}

    /** The commit point: {@code host}, the destination, owns the VM under {@code epoch}. */
    record LedgerCommitted(String migration, String host, long epoch) implements OwnershipEvent {}

    /** The source keeps the VM, under {@code epoch}; {@code migration} can never be committed any more. */
    record LedgerAborted(String migration, long epoch, String reason) implements OwnershipEvent {}

    /** {@code host} does not run the VM and never will under {@code epoch}; nobody may until it is started anew. */
    record LedgerFenced(String host, long epoch, String reason) implements OwnershipEvent {}

    /** Nobody may run the VM any more. */
    record LedgerReleased(String host, long epoch) implements OwnershipEvent {}
}
