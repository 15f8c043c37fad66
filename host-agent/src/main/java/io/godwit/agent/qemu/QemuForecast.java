package io.godwit.agent.qemu;

/**
 * Our own prediction of the standstill, from QEMU's figures. QEMU counts what is left as of its last look at the dirty bitmap;
 * what the guest has dirtied since is added at the rate seen before. What is left goes as fast as it went to that destination
 * when VMs stood, if that is known, and the fixed part is what it was there. Pure; confined to one actor.
 */
final class QemuForecast {
    private static final long MICROS = 1_000_000;

    private final QemuLearnt.Costs costs;
    private int syncs;
    private long syncedNanos;
    private long leftBytes;
    private long bandwidth;
    private long dirtyRate;

    /** With what is known of that destination. */
    QemuForecast(QemuLearnt.Costs costs) {
        this.costs = costs;
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
        // nothing limits it when the VM stands, so what was seen while it ran is the least that it will be
        long stopped = Math.max(bandwidth, costs.bandwidth());
        if (stopped == 0) {
            return leftBytes == 0 ? costs.fixedMicros() : Long.MAX_VALUE;
        }
        return costs.fixedMicros() + (long) (leftBytes * (double) MICROS / stopped);
    }

    /** Standstill if QEMU stops the VM by itself, which it does when less is left than its downtime limit has time for. */
    long earlyMicros() {
        return costs.earlyMicros();
    }

    /** The part of it that no iteration can remove. */
    long floorMicros() {
        return costs.fixedMicros();
    }
}
