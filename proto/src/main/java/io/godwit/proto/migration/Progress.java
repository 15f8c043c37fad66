package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * One tick of a save path: what it knows now. Replaced by the next; losing one does no harm.
 *
 * @param triple states now
 * @param stats what has been done
 * @param remainingBytes RAM and device bytes still to send before the VM could switch over
 * @param cpuDirtyBytesPerSecond dirtied by vCPUs, between the last two syncs
 * @param dmaDirtyBytesPerSecond dirtied by devices as far as the containers can tell
 * @param pinnedBytes pinned pages that count as dirty until the devices stop
 * @param devicePrecopyBytes pending device state that can go while the VM runs
 * @param deviceStopCopyBytes device state that can go only when it stands still
 * @param predictedDowntimeMicros if it switched over now
 * @param floorDowntimeMicros part of it that no iteration can remove
 * @param trustworthy false when a container hides pinned pages until the stop ({@code STOP_COPY_ONLY})
 * @param passes how often all that was known to be dirty has been sent; 0 while RAM goes for the first time
 * @param fixedDowntimeMicros part of the prediction that no byte count explains, as learnt for this destination
 * @param acknowledged whether the destination has loaded each device's initial data: before, nothing is stopped
 * @param limits in force
 * @param hypervisorDowntimeMicros what the hypervisor itself expects, beside our own prediction; -1 where there is none, as
 *     for native guests
 */
public record Progress(
        StateTriple triple,
        SaveStats stats,
        long remainingBytes,
        long cpuDirtyBytesPerSecond,
        long dmaDirtyBytesPerSecond,
        long pinnedBytes,
        long devicePrecopyBytes,
        long deviceStopCopyBytes,
        long predictedDowntimeMicros,
        long floorDowntimeMicros,
        boolean trustworthy,
        long passes,
        long fixedDowntimeMicros,
        boolean acknowledged,
        SaveLimits limits,
        long hypervisorDowntimeMicros)
        implements WireMessage {
    /** Of a guest without a hypervisor that predicts anything. */
    public Progress(
            StateTriple triple,
            SaveStats stats,
            long remainingBytes,
            long cpuDirtyBytesPerSecond,
            long dmaDirtyBytesPerSecond,
            long pinnedBytes,
            long devicePrecopyBytes,
            long deviceStopCopyBytes,
            long predictedDowntimeMicros,
            long floorDowntimeMicros,
            boolean trustworthy,
            long passes,
            long fixedDowntimeMicros,
            boolean acknowledged,
            SaveLimits limits) {
        this(
                triple,
                stats,
                remainingBytes,
                cpuDirtyBytesPerSecond,
                dmaDirtyBytesPerSecond,
                pinnedBytes,
                devicePrecopyBytes,
                deviceStopCopyBytes,
                predictedDowntimeMicros,
                floorDowntimeMicros,
                trustworthy,
                passes,
                fixedDowntimeMicros,
                acknowledged,
                limits,
                -1);
    }
}
