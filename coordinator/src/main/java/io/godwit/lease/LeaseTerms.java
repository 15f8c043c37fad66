package io.godwit.lease;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * For how long leases are lent, and when one has run out for certain; {@code godwit.lease} in reference.conf says why each
 * part has its value. Both sides measure by their own monotonic clocks, which tick at different rates, each within {@code
 * driftMax} of the true one.
 *
 * @param duration how long a host may run a VM from the moment at which it sent the question that was answered
 * @param driftMax by which part of it a monotonic clock may be fast or slow: 0.1 for a tenth
 * @param stopWithin how long a guest takes, on the host's side, to stand still once its lease has run out
 */
public record LeaseTerms(Duration duration, double driftMax, Duration stopWithin) {
    public LeaseTerms {
        if (!duration.isPositive() || stopWithin.isNegative() || !(driftMax >= 0 && driftMax < 1)) {
            throw new IllegalArgumentException("godwit.lease: duration " + duration + ", drift-max " + driftMax
                    + ", stop-within " + stopWithin + "; expected durations above zero, and a drift of 0 to below 1");
        }
    }

    /** Reads {@code godwit.lease} of {@code config}. */
    public static LeaseTerms from(Config config) {
        Config own = config.getConfig("godwit.lease");
        return new LeaseTerms(own.getDuration("duration"), own.getDouble("drift-max"), own.getDuration("stop-within"));
    }

    /**
     * Nanoseconds that have to pass on a coordinator's clock, from the moment at which it answered, until the guest stands
     * still for certain. The host's clock may be slow: its {@code duration} takes up to {@code duration / (1 - drift)}. Ours
     * may be fast: it must show {@code (1 + drift)} times as much.
     */
    public long overAfterNanos() {
        double longest = duration.toNanos() / (1 - driftMax) + stopWithin.toNanos();
        return (long) Math.ceil(longest * (1 + driftMax));
    }
}
