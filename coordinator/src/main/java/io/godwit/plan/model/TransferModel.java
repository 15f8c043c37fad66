package io.godwit.plan.model;

import io.godwit.proto.estimate.LeftAtStop;
import io.godwit.proto.estimate.Sending;

/**
 * How long a live migration takes at a bandwidth: the mVM model (Kherbache, Madelaine, Hermenier, "Scheduling live
 * migrations for fast, adaptable and energy-efficient relocation operations"): one pass over all memory, one over what
 * was dirtied cold meanwhile, and a geometric tail of the hot set.
 *
 * @param wireBitsPerByte bits on the wire for a byte of guest memory: 8 plus the overhead of headers and protocol
 * @param roundingMs durations are rounded to multiples of this, and are at least one of them; 1 for none
 * @param mostMbit the most that one migration is given, Mbit/s on the wire; {@link Network#UNLIMITED} for what is free
 */
public record TransferModel(double wireBitsPerByte, long roundingMs, long mostMbit) {
    /** A duration that says: at this bandwidth the copying never ends. */
    public static final long NEVER_MS = Long.MAX_VALUE / 4;

    /** As {@code godwit.migration.fixed-downtime} of the hosts' agents: stopping, the last sync, the ledger, starting again. */
    private static final long FIXED_MICROS = 60_000;

    /** As {@code godwit.migration.handoff-delay}: from the wish for the switchover to the stop. */
    private static final long HANDOFF_NANOS = 20_000_000;

    /** Reading the dirty log: 0.05 to 1.4 ms for 64 GiB on KVM (deploy/bench/bitmaps). */
    private static final long SYNC_NANOS = 2_000_000;

    /** A month: nothing that takes longer is told apart. */
    private static final long MOST_MICROS = 2_592_000_000_000L;

    /** Ours. 8.5: Ethernet, IP, TCP and TLS headers take about 6 % of a link with an MTU of 1,500. */
    public static final TransferModel STANDARD = new TransferModel(8.5, 1);

    /** BtrPlace's (CNetwork of 1.9.3): 9 bits for a byte, whole seconds, so that plans can be compared. */
    public static final TransferModel BTRPLACE = new TransferModel(9, 1000);

    /** Checks the figures. */
    public TransferModel {
        if (!(wireBitsPerByte >= 8) || roundingMs < 1 || mostMbit < 1) {
            throw new IllegalArgumentException("wire bits per byte " + wireBitsPerByte + ", rounding " + roundingMs
                    + " ms, at most " + mostMbit + " Mbit/s; expected 8, 1 and 1 at least");
        }
    }

    /** Each migration takes what is free. */
    public TransferModel(double wireBitsPerByte, long roundingMs) {
        this(wireBitsPerByte, roundingMs, Network.UNLIMITED);
    }

    /** The same, with no more than {@code bytesPerSecond} of guest memory for each migration; 0 for no limit. */
    public TransferModel limitedTo(long bytesPerSecond) {
        return bytesPerSecond <= 0
                ? this
                : new TransferModel(
                        wireBitsPerByte, roundingMs, Math.max(1, (long) (bytesPerSecond / 1e6 * wireBitsPerByte)));
    }

    /** How long {@code ram} takes at {@code mbitPerSecond}, in ms; {@link #NEVER_MS} when it is dirtied faster than sent. */
    public long durationMs(RamProfile ram, long mbitPerSecond) {
        return durationMs(
                ram.usedMb(),
                ram.hotMb(),
                ram.hotMbPerSecond(),
                ram.hotSeconds(),
                ram.coldMbPerSecond(),
                ram.pinnedMb(),
                mbitPerSecond);
    }

    /** The same from plain numbers, for loops that must not allocate. */
    public long durationMs(
            double usedMb,
            double hotMb,
            double hotRate,
            double hotSeconds,
            double coldRate,
            double pinnedMb,
            long mbitPerSecond) {
        double bandwidth = mbitPerSecond / wireBitsPerByte;
        if (bandwidth <= hotRate || bandwidth <= coldRate) {
            return NEVER_MS;
        }
        double once = usedMb / bandwidth;
        double seconds;
        if (once > hotSeconds) {
            double cold = (hotMb + (once - hotSeconds) * coldRate) / (bandwidth - coldRate);
            double hot = hotMb / bandwidth * (hotRate / (bandwidth - hotRate));
            seconds = once + cold + hot;
        } else {
            seconds = once + hotRate * once / (bandwidth - hotRate);
        }
        seconds += pinnedMb / bandwidth;
        return Math.max(1, Math.round(seconds * 1000 / roundingMs)) * roundingMs;
    }

    /**
     * How long the guest stands still at the end, in ms, with the arithmetic of the save path's estimator: pre-copy goes on for as
     * long as a pass shortens the standstill, and what is written until the stop goes over the wire with the pinned memory while
     * the guest stands; to that come the costs that no byte count explains.
     */
    public long blackoutMs(RamProfile ram, long mbitPerSecond) {
        long bytesPerSecond = (long) (mbitPerSecond * 1e6 / wireBitsPerByte);
        long once = Sending.micros((long) (ram.usedMb() * 1e6), bytesPerSecond);
        long left = LeftAtStop.converged(Math.min(once, MOST_MICROS) * 1000, bytesPerSecond, ram, SYNC_NANOS);
        long atStop = LeftAtStop.bytes(left, bytesPerSecond, ram, HANDOFF_NANOS, SYNC_NANOS);
        long micros = FIXED_MICROS + Sending.micros(atStop + (long) (ram.pinnedMb() * 1e6), bytesPerSecond);
        return Math.ceilDiv(micros, 1000);
    }
}
