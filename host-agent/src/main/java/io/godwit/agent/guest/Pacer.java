package io.godwit.agent.guest;

/**
 * How many pages a vCPU owes at a moment so that it keeps its rate. Drift-free: what is owed follows from the time since
 * the start and all that was written since, not from the last wait. Pure; one thread.
 */
final class Pacer {
    private static final double NANOS = 1e9;

    private final double pagesPerSecond;
    private final int batchPages;
    private final long quantumNanos;
    private final long catchUpNanos;
    private long startNanos;
    private long written;

    /**
     * A pacer for one vCPU.
     *
     * @param pagesPerSecond its rate; 0 for as fast as it can
     * @param batchPages most pages owed at once
     * @param quantumNanos shortest wait, so that a high rate is met in batches and not by waking for every page
     * @param catchUpNanos debt beyond this is forgiven: a vCPU held up does not make up for it in a burst
     */
    Pacer(double pagesPerSecond, int batchPages, long quantumNanos, long catchUpNanos) {
        this.pagesPerSecond = pagesPerSecond;
        this.batchPages = batchPages;
        this.quantumNanos = quantumNanos;
        this.catchUpNanos = catchUpNanos;
    }

    /** Begins to count now: time before it is not owed. */
    void restart(long nowNanos) {
        startNanos = nowNanos;
        written = 0;
    }

    /** Pages to write now, at most a batch. */
    int due(long nowNanos) {
        if (pagesPerSecond == 0) {
            return batchPages;
        }
        long owed = owed(nowNanos);
        long most = Math.max(1, (long) (catchUpNanos * pagesPerSecond / NANOS));
        if (owed > most) {
            written += owed - most;
            owed = most;
        }
        return (int) Math.min(owed, batchPages);
    }

    /** Notes what was written. */
    void wrote(int pages) {
        written += pages;
    }

    /** Nanoseconds until it is worth asking again. */
    long waitNanos(long nowNanos) {
        double next = (written + 1) * NANOS / pagesPerSecond;
        long wait = (long) Math.ceil(Math.min(next - (nowNanos - startNanos), Long.MAX_VALUE / 2.0));
        return Math.max(quantumNanos, wait);
    }

    private long owed(long nowNanos) {
        return (long) ((nowNanos - startNanos) * pagesPerSecond / NANOS) - written;
    }
}
