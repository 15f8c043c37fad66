package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * Limits of a save path, which may change while it runs.
 *
 * @param revision grows with every change; a save path ignores limits older than those it keeps
 * @param downtimeLimitMs switch over once the predicted downtime is at most this
 * @param downtimeCeilingMs highest value the downtime limit may still be raised to: a floor above it is hopeless
 * @param bandwidthBytesPerSecond limit on the stream while pre-copying; 0 for none
 * @param throttlePercent share of time that the vCPUs are held back, 0 to 99
 * @param stopAndCopy ask for the switchover now, whatever is predicted
 * @param postcopy ask for the switchover now, and let the VM run at the destination before all of its memory is there; of QEMU
 *     guests only
 */
public record SaveLimits(
        long revision,
        long downtimeLimitMs,
        long downtimeCeilingMs,
        long bandwidthBytesPerSecond,
        int throttlePercent,
        boolean stopAndCopy,
        boolean postcopy)
        implements WireMessage {
    /** Without postcopy. */
    public SaveLimits(
            long revision,
            long downtimeLimitMs,
            long downtimeCeilingMs,
            long bandwidthBytesPerSecond,
            int throttlePercent,
            boolean stopAndCopy) {
        this(
                revision,
                downtimeLimitMs,
                downtimeCeilingMs,
                bandwidthBytesPerSecond,
                throttlePercent,
                stopAndCopy,
                false);
    }

    /** No limits are known. */
    public static final SaveLimits NONE = new SaveLimits(0, 0, 0, 0, 0, false);

    /** What a migration begins with: its options, never over the VM's blackout budget, and no steps to take. */
    public static SaveLimits first(MigrationOptions options, long blackoutBudgetMs) {
        long limit = Math.min(options.downtimeLimitMs(), blackoutBudgetMs);
        return new SaveLimits(0, limit, limit, options.bandwidthBytesPerSecond(), 0, false);
    }
}
