package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * How a VM is to be moved.
 *
 * @param downtimeLimitMs switch over once the predicted downtime is at most this, in milliseconds; never over the VM's
 *     blackout budget
 * @param verify whether both sides digest all RAM, vCPU and device state while stopped and compare
 * @param bandwidthBytesPerSecond limit on the stream while pre-copying; 0 for none
 * @param handoffDeadlineMs how long an open handoff may wait before the ledger refuses its commit
 */
public record MigrationOptions(
        long downtimeLimitMs, boolean verify, long bandwidthBytesPerSecond, long handoffDeadlineMs)
        implements WireMessage {}
