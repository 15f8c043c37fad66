package io.godwit.migration;

import java.time.Duration;

/**
 * Notices that something which should move stands still: as long as anything is pending, its mark has to change within the
 * timeout. Pure; time is a parameter. For one thread.
 */
final class StallWatch {
    private final long timeoutNanos;
    private boolean watching;
    private long mark;
    private long sinceNanos;

    StallWatch(Duration timeout) {
        this.timeoutNanos = timeout.toNanos();
    }

    /**
     * One look.
     *
     * @param nowNanos now
     * @param pending whether anything should move
     * @param seen what changes when something moves
     * @return for how many nanoseconds nothing has moved, once that is the timeout or more; else 0
     */
    long look(long nowNanos, boolean pending, long seen) {
        if (!pending || !watching || seen != mark) {
            watching = pending;
            mark = seen;
            sinceNanos = nowNanos;
        }
        long still = nowNanos - sinceNanos;
        return still >= timeoutNanos ? still : 0;
    }
}
