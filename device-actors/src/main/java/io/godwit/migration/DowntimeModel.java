package io.godwit.migration;

/**
 * Predicts a standstill: (dirty RAM + pinned pages + device stop-copy bytes) / bandwidth + fixed cost (vfio-migration
 * section 7: predicted downtime), plus the digests when they are asked for. Pure.
 *
 * @param fixedMicros cost that no byte count explains
 * @param digestMicros cost of both sides' digests of all RAM; 0 without verify
 */
public record DowntimeModel(long fixedMicros, long digestMicros) {

    /** The model for one migration. */
    static DowntimeModel of(MigrationSettings settings, long fixedMicros, long ramBytes, boolean verify) {
        // the source digests while it still sends; only the destination's digest is always in the way
        long digest = verify ? micros(ramBytes, settings.digestBytesPerSecond()) : 0;
        return new DowntimeModel(fixedMicros, digest);
    }

    /** Predicted standstill in microseconds if it began now. */
    public long predictMicros(
            long pendingRamBytes, long pinnedBytes, long deviceStopCopyBytes, long bandwidthBytesPerSecond) {
        return fixedMicros
                + digestMicros
                + micros(pendingRamBytes + pinnedBytes + deviceStopCopyBytes, bandwidthBytesPerSecond);
    }

    /** The part that no iteration removes: pinned pages, the least the devices keep for the stop, and fixed costs. */
    public long floorMicros(long pinnedBytes, long deviceStopCopyBytes, long bandwidthBytesPerSecond) {
        return predictMicros(0, pinnedBytes, deviceStopCopyBytes, bandwidthBytesPerSecond);
    }

    private static long micros(long bytes, long bytesPerSecond) {
        if (bytes == 0) {
            return 0;
        }
        return bytesPerSecond <= 0 ? Long.MAX_VALUE / 4 : (long) (bytes * 1e6 / bytesPerSecond);
    }
}
