package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * A step that was taken because a migration did not converge, or because an operator asked for it.
 *
 * @param precopyMillis when: milliseconds of pre-copy so far, on the source's clock
 * @param step what was done, such as {@code throttle:30%}
 * @param reason the numbers that led to it, or who asked
 * @param limits in force from then on
 */
public record ConvergenceStep(long precopyMillis, String step, String reason, SaveLimits limits)
        implements WireMessage {}
