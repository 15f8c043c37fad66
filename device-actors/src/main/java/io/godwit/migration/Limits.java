package io.godwit.migration;

import io.godwit.proto.migration.SaveLimits;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The limits in force of one save path: the newest it was told, and never over the VM's own blackout budget. Pure;
 * confined to one actor.
 */
public final class Limits {
    private static final int THROTTLE_PERCENT_MAX = 99;

    private final long budgetMs;
    private SaveLimits newest;

    /** Begins with {@code first}; {@code budgetMs} is the longest standstill the VM's owner accepts. */
    Limits(SaveLimits first, long budgetMs) {
        this.newest = first;
        this.budgetMs = budgetMs;
    }

    /** What no save path can keep to, naming the limit, its value and what was expected; empty when they make sense. */
    public static Optional<String> problem(SaveLimits limits) {
        if (limits.downtimeLimitMs() < 0) {
            return Optional.of("downtime limit of " + limits.downtimeLimitMs() + " ms; expected 0 or more");
        }
        if (limits.bandwidthBytesPerSecond() < 0) {
            return Optional.of(
                    "bandwidth limit of " + limits.bandwidthBytesPerSecond() + " bytes/s; expected 0 (none) or more");
        }
        if (limits.throttlePercent() < 0 || limits.throttlePercent() > THROTTLE_PERCENT_MAX) {
            return Optional.of(
                    "throttle of " + limits.throttlePercent() + " percent; expected 0 to " + THROTTLE_PERCENT_MAX);
        }
        return Optional.empty();
    }

    /** Takes {@code told} over if it is newer than what is in force; whether it was. */
    boolean take(SaveLimits told) {
        if (told.revision() <= newest.revision()) {
            return false;
        }
        newest = told;
        return true;
    }

    /** As they were told. */
    SaveLimits inForce() {
        return newest;
    }

    /** Longest standstill to switch over with. */
    long downtimeMicros() {
        return TimeUnit.MILLISECONDS.toMicros(Math.min(newest.downtimeLimitMs(), budgetMs));
    }

    /** Longest standstill that the limit may still be raised to: what must take longer is hopeless. */
    long ceilingMicros() {
        long ceiling = Math.max(newest.downtimeLimitMs(), newest.downtimeCeilingMs());
        return TimeUnit.MILLISECONDS.toMicros(Math.min(ceiling, budgetMs));
    }

    /** Limit on the stream while the VM runs; 0 for none. */
    long bandwidthBytesPerSecond() {
        return newest.bandwidthBytesPerSecond();
    }

    /** Share of time that the vCPUs are held back. */
    int throttlePercent() {
        return newest.throttlePercent();
    }

    /** Whether to switch over whatever is predicted. */
    boolean stopAndCopy() {
        return newest.stopAndCopy();
    }
}
