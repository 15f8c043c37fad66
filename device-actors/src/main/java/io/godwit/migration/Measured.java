package io.godwit.migration;

/**
 * One sync, measured: all that a prediction and a decision follow from.
 *
 * @param ramLeftBytes pages to be sent that are not held back
 * @param pinnedBytes pages that are dirty at the stop in any case
 * @param pinnedZero share of them that is zero, and so need not be sent, 0 to 1
 * @param precopyBytes device state that can go while the VM runs
 * @param stopCopyBytes device state that would go if it stopped now, pre-copy bytes included
 * @param bandwidth bytes per second of the stream; 0 when none is known
 * @param settled whether the bandwidth is good enough to give up by it
 * @param bandwidthLimit on the stream until the stop, in bytes per second; 0 for none
 * @param cpu how fast vCPUs dirty RAM
 * @param dma how fast devices do, as far as the containers can tell
 * @param syncNanos what a sync takes
 * @param rounds how often all that was known to be dirty has been sent
 * @param precopyNanos how long pre-copy has gone on
 * @param acknowledged whether the destination has loaded the devices' initial data: nothing is stopped before
 */
record Measured(
        long ramLeftBytes,
        long pinnedBytes,
        double pinnedZero,
        long precopyBytes,
        long stopCopyBytes,
        long bandwidth,
        boolean settled,
        long bandwidthLimit,
        DirtyRate cpu,
        DirtyRate dma,
        long syncNanos,
        long rounds,
        long precopyNanos,
        boolean acknowledged) {
    /** What of the pinned pages has to be sent. */
    long pinnedToSend() {
        return (long) (pinnedBytes * (1 - pinnedZero));
    }

    /** Bytes per second at which the stream goes until the stop. */
    long goingBandwidth() {
        return bandwidthLimit > 0 ? Math.min(bandwidth, bandwidthLimit) : bandwidth;
    }
}
