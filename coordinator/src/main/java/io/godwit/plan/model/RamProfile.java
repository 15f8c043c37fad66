package io.godwit.plan.model;

import io.godwit.proto.estimate.Dirtying;

/**
 * What a guest's memory does while it is copied: a hot working set that is rewritten again and again, and cold pages that
 * are dirtied once each.
 *
 * @param usedMb memory to copy, MB
 * @param hotMb size of the hot working set, MB
 * @param hotSeconds how long the guest takes to dirty all of the hot set
 * @param coldMbPerSecond rate at which other pages are dirtied
 * @param pinnedMb memory that devices may write until the guest stands still: sent once more then
 */
public record RamProfile(double usedMb, double hotMb, double hotSeconds, double coldMbPerSecond, double pinnedMb)
        implements Dirtying {
    private static final double BYTES_PER_MB = 1e6;

    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException naming the one that is negative, or a hot set without a time
     */
    public RamProfile {
        require(usedMb, "used memory");
        require(hotMb, "hot set");
        require(hotSeconds, "time of the hot set");
        require(coldMbPerSecond, "cold rate");
        require(pinnedMb, "pinned memory");
        if (hotMb > 0 && hotSeconds == 0) {
            throw new IllegalArgumentException("a hot set of " + hotMb + " MB dirtied in 0 s; expected more than 0 s");
        }
    }

    /** A guest without pinned memory. */
    public RamProfile(double usedMb, double hotMb, double hotSeconds, double coldMbPerSecond) {
        this(usedMb, hotMb, hotSeconds, coldMbPerSecond, 0);
    }

    private static void require(double value, String what) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(what + " is " + value + "; expected 0 or more");
        }
    }

    /** A guest that writes nothing. */
    public static RamProfile idle(double usedMb) {
        return new RamProfile(usedMb, 0, 1, 0);
    }

    /** Rate at which the hot set is rewritten, MB/s. */
    public double hotMbPerSecond() {
        return hotMb == 0 ? 0 : hotMb / hotSeconds;
    }

    @Override
    public double bytesIn(long nanos) {
        double seconds = nanos / 1e9;
        double cold = Math.max(0, usedMb - hotMb);
        return (Math.min(Math.min(hotMb, usedMb), hotMbPerSecond() * seconds)
                        + Math.min(cold, coldMbPerSecond * seconds))
                * BYTES_PER_MB;
    }
}
