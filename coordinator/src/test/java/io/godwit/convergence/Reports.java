package io.godwit.convergence;

import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;

/** Reports of progress for tests. */
public final class Reports {
    private Reports() {}

    /** Of a source that has sent everything once and keeps {@code limits}. */
    public static Progress at(long precopyMillis, long predictedMs, SaveLimits limits) {
        return report(1, precopyMillis, predictedMs * 1000, limits, true);
    }

    /** Of a source whose passes have all ended, {@code passes} of them. */
    public static Progress report(
            long passes, long precopyMillis, long predictedMicros, SaveLimits limits, boolean trustworthy) {
        return sent(passes, passes << 30, precopyMillis, predictedMicros, limits, trustworthy);
    }

    /** Of a source of a VM of 1 GiB that has sent {@code sentBytes} of memory. */
    public static Progress sent(
            long passes,
            long sentBytes,
            long precopyMillis,
            long predictedMicros,
            SaveLimits limits,
            boolean trustworthy) {
        return new Progress(
                new StateTriple("RUNNING", "ACTIVE", "_RUNNING|_SAVING"),
                new SaveStats(1L << 30, sentBytes + 4096, sentBytes, 0, 100, 3, precopyMillis, 900L << 20, 0),
                812L << 20,
                1100L << 20,
                100L << 20,
                64L << 20,
                0,
                0,
                predictedMicros,
                70_000,
                trustworthy,
                passes,
                20_000,
                true,
                limits);
    }
}
