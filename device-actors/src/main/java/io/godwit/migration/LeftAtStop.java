package io.godwit.migration;

import java.util.function.LongToDoubleFunction;

/**
 * RAM that will still have to be sent when the VM stands still, if the switchover is asked for now. Until the handoff is
 * open the VM runs on: what is left goes on being sent, pass by pass, and the guest goes on writing. Pure.
 */
final class LeftAtStop {
    /** Most passes that are thought through: after that many, one more changes nothing. */
    private static final int PASSES_MAX = 64;

    private static final double SECOND = 1e9;

    private LeftAtStop() {}

    /**
     * Bytes left at the stop.
     *
     * @param leftBytes left now, after a sync
     * @param bytesPerSecond at which the stream goes on until the stop
     * @param dirtied bytes of different pages dirtied in a number of nanoseconds
     * @param handoffNanos from now to the stop
     * @param syncNanos what a sync takes, with which every pass ends
     */
    static long bytes(
            long leftBytes, long bytesPerSecond, LongToDoubleFunction dirtied, long handoffNanos, long syncNanos) {
        double left = leftBytes;
        if (bytesPerSecond <= 0) {
            return (long) (left + dirtied.applyAsDouble(handoffNanos));
        }
        double workingSet = Math.max(left, dirtied.applyAsDouble((long) SECOND));
        long now = 0;
        long synced = 0;
        for (int i = 0; i < PASSES_MAX && now < handoffNanos; i++) {
            long ends = now + (long) (left / bytesPerSecond * SECOND) + syncNanos;
            if (ends >= handoffNanos) {
                // the stop cuts this pass off
                left = Math.max(0, left - (handoffNanos - now) / SECOND * bytesPerSecond);
                break;
            }
            now = ends;
            left = dirtied.applyAsDouble(now - synced);
            synced = now;
        }
        double fresh = dirtied.applyAsDouble(Math.max(0, handoffNanos - synced));
        // what is written anew of what has not gone yet is sent once
        double twice = workingSet == 0 ? 0 : fresh * Math.min(1, left / workingSet);
        return (long) (left + fresh - twice);
    }
}
