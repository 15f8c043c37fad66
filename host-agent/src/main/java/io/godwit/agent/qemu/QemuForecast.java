package io.godwit.agent.qemu;

import java.time.Duration;

/**
 * Our own prediction of the standstill, from QEMU's figures. QEMU counts what is left as of its last look at the dirty bitmap;
 * what the guest has dirtied since is added at the rate seen before. Pure; confined to one actor.
 */
final class QemuForecast {
    private static final long MICROS = 1_000_000;

    private final long fixedMicros;
    private int syncs;
    private long syncedNanos;
    private long leftBytes;
    private long bandwidth;
    private long dirtyRate;

    /** {@code fixed}: part of a standstill that no byte count explains. */
    QemuForecast(Duration fixed) {
        this.fixedMicros = fixed.toNanos() / 1000;
    }

    /** QEMU said {@code figures} at {@code nowNanos}. */
    void take(QemuFigures figures, long nowNanos) {
        if (figures.syncs() != syncs) {
            syncs = figures.syncs();
            syncedNanos = nowNanos;
        }
        if (figures.bandwidthBytesPerSecond() > 0) {
            bandwidth = figures.bandwidthBytesPerSecond();
        }
        if (figures.dirtyBytesPerSecond() > 0) {
            dirtyRate = figures.dirtyBytesPerSecond();
        }
        long since = figures.running() ? (long) (dirtyRate * ((nowNanos - syncedNanos) / 1e9)) : 0;
        leftBytes = Math.min(figures.totalBytes(), figures.remainingBytes() + since);
    }

    /** What would have to be sent if the VM were stopped now. */
    long leftBytes() {
        return leftBytes;
    }

    /** As last measured; 0 before. */
    long bandwidth() {
        return bandwidth;
    }

    /** The guest's, as far as QEMU can tell. */
    long dirtyRate() {
        return dirtyRate;
    }

    /** Whether the dirty bitmap has been looked at after the first pass: before, nothing is known of what is dirty. */
    boolean trustworthy() {
        return syncs >= 2 && bandwidth > 0;
    }

    /** Standstill if the VM were stopped now; the longest there is while no bandwidth is known. */
    long predictedMicros() {
        if (bandwidth == 0) {
            return leftBytes == 0 ? fixedMicros : Long.MAX_VALUE;
        }
        return fixedMicros + (long) (leftBytes * (double) MICROS / bandwidth);
    }

    /** The part of it that no iteration can remove. */
    long floorMicros() {
        return fixedMicros;
    }
}
