package io.godwit.convergence;

import io.godwit.proto.KryoMessage;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.SaveLimits;
import java.util.List;
import java.util.stream.Stream;

/**
 * How far a migration has come on its ladder. Durable, and all that is: for how long the latest step has been held is
 * watched anew after a recovery.
 *
 * @param limits in force
 * @param steps taken, in order, an operator's among them
 * @param rung number of the next rung, from 0: those before it have been taken or passed over
 */
public record Climb(SaveLimits limits, List<ConvergenceStep> steps, int rung) implements KryoMessage {
    public Climb {
        steps = List.copyOf(steps);
    }

    /** At the foot of its ladder, with these limits. */
    public static Climb from(SaveLimits limits) {
        return new Climb(limits, List.of(), 0);
    }

    /** After {@code step}, with {@code next} as the next rung. */
    public Climb after(ConvergenceStep step, int next) {
        return new Climb(
                step.limits(), Stream.concat(steps.stream(), Stream.of(step)).toList(), next);
    }
}
