package io.godwit.convergence;

import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.units.Units;
import java.util.concurrent.TimeUnit;

/** The numbers that explain a decision about a migration, as one line for people. */
public final class Outlook {
    /** A prediction longer than this says only that nothing is known yet. */
    private static final long KNOWN_MICROS_MAX = TimeUnit.DAYS.toMicros(1);

    private Outlook() {}

    /** How fast the guest dirties, what the link takes, what is predicted, and the limit in force. */
    public static String numbers(Progress progress, SaveLimits limits) {
        long cpu = progress.cpuDirtyBytesPerSecond();
        long dma = progress.dmaDirtyBytesPerSecond();
        return "the guest dirties " + rate(cpu + dma) + " (CPU " + rate(cpu) + ", DMA " + rate(dma) + pinned(progress)
                + "), " + link(progress, limits) + ": " + prediction(progress) + ", the limit is "
                + limits.downtimeLimitMs() + " ms"
                + (progress.trustworthy() ? "" : " (not trustworthy: a container hides pinned pages until the stop)");
    }

    /** Whether a standstill is predicted at all: without a measured bandwidth it is not. */
    public static boolean known(Progress progress) {
        return progress.predictedDowntimeMicros() <= KNOWN_MICROS_MAX;
    }

    /** The downtime that is needed as things stand, in milliseconds, rounded up. */
    public static long neededMs(Progress progress) {
        return Math.ceilDiv(progress.predictedDowntimeMicros(), TimeUnit.MILLISECONDS.toMicros(1));
    }

    private static String prediction(Progress progress) {
        return known(progress)
                ? "a standstill of " + neededMs(progress) + " ms is predicted"
                : "no standstill can be predicted";
    }

    private static String link(Progress progress, SaveLimits limits) {
        long bandwidth = progress.stats().bandwidthBytesPerSecond();
        return (bandwidth > 0 ? "the link takes " + rate(bandwidth) : "no bandwidth is known")
                + (limits.bandwidthBytesPerSecond() > 0
                        ? " (limited to " + rate(limits.bandwidthBytesPerSecond()) + ")"
                        : "");
    }

    private static String pinned(Progress progress) {
        return progress.pinnedBytes() > 0 ? ", " + Units.size(progress.pinnedBytes()) + " pinned" : "";
    }

    private static String rate(long bytesPerSecond) {
        return Units.size(bytesPerSecond) + "/s";
    }
}
