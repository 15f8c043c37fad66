package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * What a save path has done so far.
 *
 * @param ramBytes RAM of the VM
 * @param transferredBytes bytes written to the stream, headers included
 * @param ramBytesSent page bytes sent, copies of the same page counted each time
 * @param deviceBytesSent device state sent
 * @param dirtiedPages pages found dirty by all syncs after the first
 * @param iterations dirty syncs
 * @param precopyMillis time spent pre-copying
 * @param bandwidthBytesPerSecond measured
 * @param predictedDowntimeMicros predicted when it asked to switch over; 0 before
 * @param hypervisorDowntimeMicros what the hypervisor itself expected at that moment; -1 where there is none, as for native
 *     guests
 */
public record SaveStats(
        long ramBytes,
        long transferredBytes,
        long ramBytesSent,
        long deviceBytesSent,
        long dirtiedPages,
        int iterations,
        long precopyMillis,
        long bandwidthBytesPerSecond,
        long predictedDowntimeMicros,
        long hypervisorDowntimeMicros)
        implements WireMessage {
    /** Nothing done yet. */
    public static final SaveStats NONE = new SaveStats(0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** Of a guest without a hypervisor that predicts anything. */
    public SaveStats(
            long ramBytes,
            long transferredBytes,
            long ramBytesSent,
            long deviceBytesSent,
            long dirtiedPages,
            int iterations,
            long precopyMillis,
            long bandwidthBytesPerSecond,
            long predictedDowntimeMicros) {
        this(
                ramBytes,
                transferredBytes,
                ramBytesSent,
                deviceBytesSent,
                dirtiedPages,
                iterations,
                precopyMillis,
                bandwidthBytesPerSecond,
                predictedDowntimeMicros,
                -1);
    }
}
