package io.godwit.convergence;

import io.godwit.units.Units;

/**
 * One step of a ladder and how long it is given to help.
 *
 * @param step what is done
 * @param holdMillis on the source's clock, in milliseconds of pre-copy; {@link #UNTIL_DEADLINE} for as long as pre-copy may last
 */
public record Rung(LadderStep step, long holdMillis) {
    /** The step is the last one: it is held until the source's own deadline of pre-copy ends the migration. */
    public static final long UNTIL_DEADLINE = Long.MAX_VALUE;

    /** As people write it: {@code throttle:30%:10s}. */
    public String text() {
        return step.text() + (timed(step) && holdMillis != UNTIL_DEADLINE ? ":" + Units.exactTime(holdMillis) : "");
    }

    /** Whether a step goes on after it was taken; the others end pre-copy. */
    static boolean timed(LadderStep step) {
        return switch (step) {
            case LadderStep.Wait _, LadderStep.Bandwidth _, LadderStep.Throttle _, LadderStep.Downtime _ -> true;
            case LadderStep.StopAndCopy _, LadderStep.Postcopy _, LadderStep.GiveUp _ -> false;
        };
    }
}
