package io.godwit.migration;

import io.godwit.proto.estimate.LeftAtStop;
import io.godwit.proto.estimate.Sending;
import io.godwit.vm.GuestMemory;

/**
 * Predicts the standstill of one migration: (RAM left at the stop + pinned pages) / bandwidth while stopped + device state
 * + digests + fixed costs (vfio-migration section 7: predicted downtime). What is left at the stop is not what is left now
 * ({@link LeftAtStop}), and a VM that stands still is sent faster than one that runs ({@link RouteCosts}). Pure.
 *
 * @param costs what is known of the destination
 * @param digestedBytes RAM that both sides digest while it stands still; 0 without verify
 */
record DowntimeModel(RouteCosts costs, long digestedBytes) {
    private static final long PAGE = GuestMemory.PAGE_SIZE;

    /** The standstill if the switchover is asked for now; not {@link Prediction#known} while no bandwidth is. */
    Prediction predict(Measured now) {
        long left = LeftAtStop.bytes(
                now.ramLeftBytes(),
                now.goingBandwidth(),
                nanos -> (now.cpu().pagesIn(nanos) + now.dma().pagesIn(nanos)) * PAGE,
                costs.handoffMicros() * 1000,
                now.syncNanos());
        return predict(left, now.pinnedToSend(), now.stopCopyBytes(), now.bandwidth());
    }

    /** The part of it that no round removes: pinned pages, the least the devices keep for the stop, digests, fixed costs. */
    Prediction floor(Measured now) {
        return predict(0, now.pinnedToSend(), Math.max(0, now.stopCopyBytes() - now.precopyBytes()), now.bandwidth());
    }

    private Prediction predict(long left, long pinned, long device, long precopyBandwidth) {
        long bandwidth = costs.stoppedBandwidth(precopyBandwidth);
        long ram = Sending.micros(left + pinned, bandwidth);
        long devices = costs.deviceMicrosPerByte() > 0
                ? (long) (device * costs.deviceMicrosPerByte())
                : Sending.micros(device, bandwidth);
        // the source digests while it sends; the destination when it has all
        long behind = (long) (digestedBytes * costs.sourceDigestMicrosPerByte()) - ram - devices;
        long digests = Math.max(0, behind) + (long) (digestedBytes * costs.destinationDigestMicrosPerByte());
        return new Prediction(
                left, pinned, device, bandwidth, ram, devices, digests, costs.fixedMicros(), costs.handoffMicros());
    }
}
