package io.godwit.migration;

/**
 * Bandwidth of a stream over its last samples, weighted by time, so that a short burst (a socket buffer that swallows a
 * megabyte at once) does not pass for the speed of the link.
 */
final class BandwidthMeter {
    private static final int SAMPLES = 32;
    private static final long SETTLED_NANOS = 200_000_000;

    private final long[] bytes = new long[SAMPLES];
    private final long[] nanos = new long[SAMPLES];
    private int next;
    private long atLeast;

    /** Adds what was written in a stretch of busy time. */
    void add(long sampleBytes, long sampleNanos) {
        if (sampleBytes > 0 && sampleNanos > 0) {
            bytes[next] = sampleBytes;
            nanos[next] = sampleNanos;
            next = (next + 1) % SAMPLES;
        }
    }

    /** Adds a stretch in which the stream was not what took the time; counts only while there is no better sample. */
    void atLeast(long sampleBytes, long sampleNanos) {
        if (sampleBytes > 0 && sampleNanos > 0) {
            atLeast = Math.max(atLeast, (long) (sampleBytes * 1e9 / sampleNanos));
        }
    }

    /** Bytes per second; while none were measured what it does at least; 0 when not even that is known. */
    long bytesPerSecond() {
        long allBytes = 0;
        long allNanos = 0;
        for (int i = 0; i < SAMPLES; i++) {
            allBytes += bytes[i];
            allNanos += nanos[i];
        }
        return allNanos == 0 ? atLeast : (long) (allBytes * 1e9 / allNanos);
    }

    /** Whether enough was measured to give a migration up by it: a fifth of a second of busy time. */
    boolean settled() {
        long allNanos = 0;
        for (long sample : nanos) {
            allNanos += sample;
        }
        return allNanos >= SETTLED_NANOS;
    }
}
