package io.godwit.proto.lease;

import io.godwit.proto.WireMessage;

/**
 * A VM under one grant of the ledger.
 *
 * @param vm its name
 * @param epoch the grant
 */
public record LeasedVm(String vm, long epoch) implements WireMessage {}
