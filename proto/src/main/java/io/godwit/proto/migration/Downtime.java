package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * The standstill of one switchover and its parts, in microseconds, on the source's clock from the stop of the vCPUs to
 * the word that the destination runs.
 *
 * @param stopMicros vCPUs and devices brought to a stop
 * @param lastSyncMicros last dirty sync
 * @param lastRamMicros last RAM pages sent
 * @param deviceMicros device and vCPU state sent
 * @param loadMicros end of the stream to the destination's word that all is loaded, digests included
 * @param commitMicros ledger commit and the word to run
 * @param resumeMicros destination's devices and vCPUs started
 */
public record Downtime(
        long stopMicros,
        long lastSyncMicros,
        long lastRamMicros,
        long deviceMicros,
        long loadMicros,
        long commitMicros,
        long resumeMicros)
        implements WireMessage {
    /** Nothing measured. */
    public static final Downtime NONE = new Downtime(0, 0, 0, 0, 0, 0, 0);

    /** The whole standstill. */
    public long totalMicros() {
        return stopMicros + lastSyncMicros + lastRamMicros + deviceMicros + loadMicros + commitMicros + resumeMicros;
    }
}
