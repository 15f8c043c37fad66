package io.godwit.agent.guest;

/**
 * Holds a vCPU back for a share of its time: what it has worked it pays for by standing still, so the share is kept
 * however long its batches take. The time it is held back is no time of its own: a paced vCPU writes less, not later. Pure;
 * one thread.
 */
final class Throttle {
    private final long sliceNanos;
    private long lastNanos;
    private long heldNanos;
    private long debtNanos;
    private int share;
    private boolean holding;

    /**
     * A throttle for one vCPU.
     *
     * @param sliceNanos length of one turn of working and standing still; longer ones only where a batch takes longer, or
     *     where what is left to work would be less than a wake-up takes
     */
    Throttle(long sliceNanos) {
        this.sliceNanos = sliceNanos;
    }

    /** Begins to count now: nothing is owed for the time before. */
    void restart(long nowNanos) {
        lastNanos = nowNanos;
        debtNanos = 0;
        holding = false;
    }

    /**
     * How long the vCPU is to stand still from now on, in nanoseconds; 0: it may work. Ask before each batch.
     *
     * @param percent share of time to be held back, 0 to 99
     */
    long holdNanos(long nowNanos, int percent) {
        long elapsed = nowNanos - lastNanos;
        lastNanos = nowNanos;
        if (holding) {
            heldNanos += elapsed;
            debtNanos -= elapsed;
        } else {
            // a vCPU that the machine itself kept waiting is not punished for it: a slice at most counts as work
            debtNanos += Math.min(elapsed, sliceNanos) * percent / (100 - percent);
        }
        if (percent != share) {
            // what is owed at another rate is forgotten: the new share holds at once
            share = percent;
            debtNanos = 0;
        }
        // a thread that slept too long has that to its credit, within limits
        debtNanos = Math.max(debtNanos, -sliceNanos);
        holding = debtNanos > 0 && (holding || debtNanos >= sliceNanos * percent / 100);
        return holding ? debtNanos : 0;
    }

    /** The vCPU's own time: stands still while it is held back. As of the last {@link #holdNanos}, or restart. */
    long ownNanos() {
        return lastNanos - heldNanos;
    }
}
