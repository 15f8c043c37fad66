package io.godwit.proto.estimate;

/**
 * RAM that will still have to be sent when the VM stands still, if the switchover is asked for now. Until the handoff is
 * open the VM runs on: what is left goes on being sent, pass by pass, and the guest goes on writing. Pure.
 */
public final class LeftAtStop {
    /** Most passes that are thought through: after that many, one more changes nothing. */
    private static final int PASSES_MAX = 64;

    private static final double SECOND = 1e9;

    /** A further pass that takes no more than a quarter off what is left is not worth it: then the switchover is asked for. */
    private static final double WORTH_IT = 0.75;

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
    public static long bytes(long leftBytes, long bytesPerSecond, Dirtying dirtied, long handoffNanos, long syncNanos) {
        double left = leftBytes;
        if (bytesPerSecond <= 0) {
            return (long) (left + dirtied.bytesIn(handoffNanos));
        }
        double workingSet = Math.max(left, dirtied.bytesIn((long) SECOND));
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
            left = dirtied.bytesIn(now - synced);
            synced = now;
        }
        double fresh = dirtied.bytesIn(Math.max(0, handoffNanos - synced));
        // what is written anew of what has not gone yet is sent once
        double twice = workingSet == 0 ? 0 : fresh * Math.min(1, left / workingSet);
        return (long) (left + fresh - twice);
    }

    /**
     * Bytes left after the pass with which pre-copy has done what it can: what the guest writes during one pass is sent in the
     * next, for as long as that takes more than a quarter off what is left.
     *
     * @param firstPassNanos what one pass over all memory takes
     */
    public static long converged(long firstPassNanos, long bytesPerSecond, Dirtying dirtied, long syncNanos) {
        double left = dirtied.bytesIn(firstPassNanos + syncNanos);
        for (int i = 0; i < PASSES_MAX && bytesPerSecond > 0; i++) {
            double next = dirtied.bytesIn((long) (left / bytesPerSecond * SECOND) + syncNanos);
            if (next > left * WORTH_IT) {
                return (long) Math.min(left, next);
            }
            left = next;
        }
        return (long) left;
    }
}
