package io.godwit.plan.simulate;

/**
 * What came of a run.
 *
 * @param policy its name
 * @param makespanMs when the last migration had ended, ms
 * @param meanEndMs mean of the ends, ms
 * @param peak most migrations at a time
 * @param unfinished migrations that never started or never ended: their guests write faster than their share of the links carries
 */
public record Outcome(String policy, long makespanMs, double meanEndMs, int peak, int unfinished) {}
