package io.godwit.plan.model;

/**
 * How long a live migration takes at a bandwidth: the mVM model (Kherbache, Madelaine, Hermenier, "Scheduling live
 * migrations for fast, adaptable and energy-efficient relocation operations"): one pass over all memory, one over what
 * was dirtied cold meanwhile, and a geometric tail of the hot set.
 *
 * @param wireBitsPerByte bits on the wire for a byte of guest memory: 8 plus the overhead of headers and protocol
 * @param roundingMs durations are rounded to multiples of this, and are at least one of them; 1 for none
 */
public record TransferModel(double wireBitsPerByte, long roundingMs) {
    /** A duration that says: at this bandwidth the copying never ends. */
    public static final long NEVER_MS = Long.MAX_VALUE / 4;

    /** Ours. 8.5: Ethernet, IP, TCP and TLS headers take about 6 % of a link with an MTU of 1,500. */
    public static final TransferModel STANDARD = new TransferModel(8.5, 1);

    /** BtrPlace's (CNetwork of 1.9.3): 9 bits for a byte, whole seconds, so that plans can be compared. */
    public static final TransferModel BTRPLACE = new TransferModel(9, 1000);

    /** Checks the figures. */
    public TransferModel {
        if (!(wireBitsPerByte >= 8) || roundingMs < 1) {
            throw new IllegalArgumentException("wire bits per byte " + wireBitsPerByte + ", rounding " + roundingMs
                    + " ms; expected 8 and 1 at least");
        }
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

    /** How long the guest stands still at the end, in ms: its hot set and its pinned memory go over the wire while it is stopped. */
    public long blackoutMs(RamProfile ram, long mbitPerSecond) {
        double bandwidth = mbitPerSecond / wireBitsPerByte;
        double dirtied = Math.min(ram.hotMb(), ram.usedMb());
        return (long) Math.ceil((dirtied + ram.pinnedMb()) * 1000 / bandwidth);
    }
}
