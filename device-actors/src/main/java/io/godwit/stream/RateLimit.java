package io.godwit.stream;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps a stream at a number of bytes per second by making each write wait for its turn: a write of n bytes moves the
 * time of the next one by n / rate. Unused time is not saved up, so a pause is not followed by a burst.
 */
final class RateLimit {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Pacer pacer;
    private final long sliceNanos;
    private long bytesPerSecond;
    private long turnNanos;
    /** How often the limit was set: a turn given under an earlier one is not waited for. */
    private long limits;

    private boolean closed;

    private final AtomicInteger waiting = new AtomicInteger();

    RateLimit(Pacer pacer, long sliceNanos) {
        this.pacer = pacer;
        this.sliceNanos = sliceNanos;
        this.turnNanos = pacer.nanoTime();
    }

    /** Sets the limit; 0 for none. Writes that wait are let go at once. */
    synchronized void set(long limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("a rate limit of " + limit + " bytes/s; expected 0 (none) or more");
        }
        bytesPerSecond = limit;
        limits++;
        turnNanos = pacer.nanoTime();
    }

    synchronized void close() {
        closed = true;
    }

    /** Waits until {@code bytes} may be written; counts the nanoseconds of it in {@code held}, while it waits. */
    void await(long bytes, AtomicLong held) throws IOException {
        long turn;
        long limit;
        synchronized (this) {
            if (bytesPerSecond == 0) {
                return;
            }
            long now = pacer.nanoTime();
            turn = turnNanos - now > 0 ? turnNanos : now;
            turnNanos = turn + (long) (bytes * NANOS_PER_SECOND / bytesPerSecond);
            limit = limits;
        }
        waiting.incrementAndGet();
        try {
            awaitTurn(turn, limit, held);
        } finally {
            waiting.decrementAndGet();
        }
    }

    /** Whether anybody waits for a turn. */
    boolean holds() {
        return waiting.get() > 0;
    }

    private void awaitTurn(long turn, long limit, AtomicLong held) throws InterruptedIOException {
        long before = pacer.nanoTime();
        long left;
        while ((left = untilTurn(turn, limit)) > 0) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedIOException("interrupted while it waited for the stream's rate limit");
            }
            // slices, because the limit may be lifted or the stream closed meanwhile
            pacer.park(Math.min(left, sliceNanos));
            long now = pacer.nanoTime();
            held.addAndGet(now - before);
            before = now;
        }
    }

    private synchronized long untilTurn(long turn, long limit) {
        return closed || limit != limits ? 0 : turn - pacer.nanoTime();
    }
}
