package io.godwit.migration;

import java.time.Duration;

/**
 * Bandwidth of a stream, smoothed over the last stretch of sending, by time: a short burst (a socket buffer that swallows
 * megabytes at once) weighs no more than the moment it took. What earlier migrations taught stands in as if it had been
 * measured for a moment already, so that the first sync knows something. Pure; for one thread.
 */
final class BandwidthMeter {
    private final double windowNanos;
    private final long settledNanos;
    private final boolean taught;
    private double bytes;
    private double nanos;
    private long measuredNanos;
    private long atLeast;

    /**
     * For one stream.
     *
     * @param priorBytesPerSecond what earlier streams to the same host did; 0 when there were none
     * @param window sending time after which a sample counts for little (by e, as it decays)
     * @param settled sending time after which the measurement is good enough to give up by; also the weight of the prior
     */
    BandwidthMeter(long priorBytesPerSecond, Duration window, Duration settled) {
        this.windowNanos = window.toNanos();
        this.settledNanos = settled.toNanos();
        this.taught = priorBytesPerSecond > 0;
        if (taught) {
            this.nanos = settledNanos;
            this.bytes = priorBytesPerSecond * (settledNanos / 1e9);
        }
    }

    /** Adds what was sent in a stretch of nothing but sending. */
    void add(long sampleBytes, long sampleNanos) {
        if (sampleBytes > 0 && sampleNanos > 0) {
            double left = Math.exp(-sampleNanos / windowNanos);
            bytes = bytes * left + sampleBytes;
            nanos = nanos * left + sampleNanos;
            measuredNanos += sampleNanos;
        }
    }

    /** Adds a stretch in which the stream was not what took the time; counts only while nothing better is known. */
    void atLeast(long sampleBytes, long sampleNanos) {
        if (sampleBytes > 0 && sampleNanos > 0) {
            atLeast = Math.max(atLeast, (long) (sampleBytes * 1e9 / sampleNanos));
        }
    }

    /** Bytes per second; while none were measured, and none taught, what it does at least; 0 when nothing is known. */
    long bytesPerSecond() {
        return nanos == 0 ? atLeast : (long) (bytes * 1e9 / nanos);
    }

    /** Whether it is more than a lower bound: taught or measured. */
    boolean known() {
        return taught || measured();
    }

    /** Whether any of it was measured on this stream. */
    boolean measured() {
        return measuredNanos > 0;
    }

    /** Whether it is good enough to give a migration up by: taught, or measured for long enough. */
    boolean settled() {
        return taught || measuredNanos >= settledNanos;
    }
}
