package io.godwit.convergence;

import io.godwit.proto.migration.SaveLimits;
import io.godwit.units.Units;
import java.util.Optional;

/** One thing that can be done about a migration whose predicted standstill does not come under its limit. */
public sealed interface LadderStep {
    /** Does nothing but give it time. */
    record Wait() implements LadderStep {}

    /** Lets pre-copy take more of the link. {@code bytesPerSecond}: 0 for all of it. */
    record Bandwidth(long bytesPerSecond) implements LadderStep {}

    /** Holds the vCPUs back for {@code percent} of the time, 1 to 99. */
    record Throttle(int percent) implements LadderStep {}

    /** Accepts a longer standstill, never over the VM's blackout budget. {@code limitMs}: {@link #BUDGET} for all of that. */
    record Downtime(long limitMs) implements LadderStep {}

    /** Stops the VM and sends the rest, however long it stands still: the one step that may exceed the blackout budget. */
    record StopAndCopy() implements LadderStep {}

    /** Runs the VM at the destination before its memory is there; {@link Ladder#refusal} says which VMs may have it. */
    record Postcopy() implements LadderStep {}

    /** Rolls back, and says which standstill would have been needed. */
    record GiveUp() implements LadderStep {}

    /** A downtime limit as high as the VM's blackout budget. */
    long BUDGET = Long.MAX_VALUE;

    /**
     * The limits that it leads to, revision and ceiling as they were; empty when it would change nothing. Steps only raise:
     * one that asks for less than is in force changes nothing.
     *
     * @param budgetMs the VM's blackout budget
     */
    default Optional<SaveLimits> raise(SaveLimits now, long budgetMs) {
        return switch (this) {
            case Wait _ -> Optional.of(now);
            case Bandwidth(var rate)
            when now.bandwidthBytesPerSecond() > 0 && higher(rate, now) ->
                Optional.of(with(now, now.downtimeLimitMs(), rate, now.throttlePercent()));
            case Throttle(var percent)
            when percent > now.throttlePercent() ->
                Optional.of(with(now, now.downtimeLimitMs(), now.bandwidthBytesPerSecond(), percent));
            case Downtime(var limitMs)
            when Math.min(limitMs, budgetMs) > now.downtimeLimitMs() ->
                Optional.of(
                        with(now, Math.min(limitMs, budgetMs), now.bandwidthBytesPerSecond(), now.throttlePercent()));
            case StopAndCopy _ when !now.stopAndCopy() -> Optional.of(ending(now, true, now.postcopy()));
            case Postcopy _ when !now.postcopy() -> Optional.of(ending(now, now.stopAndCopy(), true));
            case Bandwidth _, Throttle _, Downtime _, StopAndCopy _, Postcopy _, GiveUp _ -> Optional.empty();
        };
    }

    private static boolean higher(long rate, SaveLimits now) {
        return rate == 0 || rate > now.bandwidthBytesPerSecond();
    }

    private static SaveLimits with(SaveLimits now, long downtimeMs, long bandwidth, int throttlePercent) {
        return new SaveLimits(
                now.revision(),
                downtimeMs,
                now.downtimeCeilingMs(),
                bandwidth,
                throttlePercent,
                now.stopAndCopy(),
                now.postcopy());
    }

    private static SaveLimits ending(SaveLimits now, boolean stopAndCopy, boolean postcopy) {
        return new SaveLimits(
                now.revision(),
                now.downtimeLimitMs(),
                now.downtimeCeilingMs(),
                now.bandwidthBytesPerSecond(),
                now.throttlePercent(),
                stopAndCopy,
                postcopy);
    }

    /** As it stands in a ladder, its hold time left out: {@code throttle:30%}. */
    default String text() {
        return switch (this) {
            case Wait _ -> "wait";
            case Bandwidth(var rate) -> "bandwidth:" + (rate == 0 ? "unlimited" : Units.exactSize(rate) + "/s");
            case Throttle(var percent) -> "throttle:" + percent + "%";
            case Downtime(var limitMs) -> "downtime:" + (limitMs == BUDGET ? "budget" : Units.exactTime(limitMs));
            case StopAndCopy _ -> "stop-and-copy";
            case Postcopy _ -> "postcopy";
            case GiveUp _ -> "give-up";
        };
    }
}
