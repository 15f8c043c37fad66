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
 * @param precopyDeadlineMs pre-copy that has not come under the limit by then is given up; 0 for the source's own setting
 * @param convergence what to do when it does not converge, by the name of a policy or as a ladder; empty for the
 *     coordinator's default. A VM's own policy ({@link io.godwit.proto.vm.VmSpec#convergence()}) goes before
 */
public record MigrationOptions(
        long downtimeLimitMs,
        boolean verify,
        long bandwidthBytesPerSecond,
        long handoffDeadlineMs,
        long precopyDeadlineMs,
        String convergence)
        implements WireMessage {
    /** With the default deadline of pre-copy and the default convergence policy. */
    public MigrationOptions(
            long downtimeLimitMs, boolean verify, long bandwidthBytesPerSecond, long handoffDeadlineMs) {
        this(downtimeLimitMs, verify, bandwidthBytesPerSecond, handoffDeadlineMs, 0, "");
    }
}
