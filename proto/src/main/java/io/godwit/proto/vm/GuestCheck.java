package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * Result of checking the guest program's own rule, and each device's, in guest memory.
 *
 * @param holds whether every rule holds: no write lost, none doubled
 * @param guestWrites page increments the vCPUs have counted since the VM was created
 * @param dmaWrites page increments the devices have counted since the VM was created
 * @param detail what was compared, or the first violation: which page, what it held, what was expected
 */
public record GuestCheck(boolean holds, long guestWrites, long dmaWrites, String detail) implements WireMessage {}
