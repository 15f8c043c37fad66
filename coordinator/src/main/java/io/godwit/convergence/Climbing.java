package io.godwit.convergence;

import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * When a migration takes the next step of its ladder. Pure: all time is the source's own, milliseconds of pre-copy.
 *
 * <p>No step is taken before all of the memory has been sent once: a large VM on a slow link is not throttled for being
 * large. From then on, while the predicted standstill is over the limit, the first step is taken at once and each further
 * one when the one before has been held for its time, counted from when the source shows that it has taken effect. A
 * prediction that falls by more than a quarter within that time restarts it: what helps is not interfered with. A step that
 * would change nothing is passed over together with its hold time.
 */
public final class Climbing {
    private final Ladder ladder;
    private final long budgetMs;

    /** By {@code ladder}, for a VM with this blackout budget. */
    public Climbing(Ladder ladder, long budgetMs) {
        this.ladder = ladder;
        this.budgetMs = budgetMs;
    }

    /**
     * The hold of the latest step, as far as it has been watched.
     *
     * @param sinceMillis when it began
     * @param predictedMicros what was predicted then
     */
    public record Watch(long sinceMillis, long predictedMicros) {}

    /** What follows from one report of progress. */
    public sealed interface Verdict {
        /** Nothing yet. {@code watch}: the hold that goes on; none when no clock runs. */
        record Stay(Optional<Watch> watch) implements Verdict {}

        /** A step is taken; {@code rung} is the next one after it. */
        record Step(ConvergenceStep step, int rung) implements Verdict {}

        /** It is given up, for {@code reason}; {@code step} tells of it among the others. */
        record GiveUp(ConvergenceStep step, int rung, String reason) implements Verdict {}
    }

    private static final Verdict NO_CLOCK = new Verdict.Stay(Optional.empty());

    /** To be called with every report of a migration that pre-copies and has not asked for the switchover. */
    public Verdict next(Climb climb, Optional<Watch> watch, Progress progress) {
        SaveLimits limits = climb.limits();
        List<Rung> rungs = ladder.rungs();
        boolean inForce = progress.limits().revision() >= limits.revision();
        // within the limit, or told to stop and copy, the source asks for the switchover by itself
        boolean over = progress.predictedDowntimeMicros() > TimeUnit.MILLISECONDS.toMicros(limits.downtimeLimitMs())
                && !limits.stopAndCopy();
        if (rungs.isEmpty() || !sentOnce(progress) || !inForce || !over) {
            return NO_CLOCK;
        }
        if (climb.rung() == 0) {
            return take(climb, progress, NO_CLOCK);
        }
        Watch held = watch.filter(running -> !falls(running, progress))
                .orElseGet(() -> new Watch(progress.stats().precopyMillis(), progress.predictedDowntimeMicros()));
        Verdict stay = new Verdict.Stay(Optional.of(held));
        long heldMillis = progress.stats().precopyMillis() - held.sinceMillis();
        return heldMillis >= rungs.get(climb.rung() - 1).holdMillis() ? take(climb, progress, stay) : stay;
    }

    /** A guest that dirties faster than the link takes never lets a pass end: then it is as much as all of the memory. */
    private static boolean sentOnce(Progress progress) {
        return progress.passes() > 0
                || progress.stats().ramBytesSent() >= progress.stats().ramBytes();
    }

    private static boolean falls(Watch watch, Progress progress) {
        return progress.predictedDowntimeMicros() < watch.predictedMicros() - watch.predictedMicros() / 4;
    }

    private Verdict take(Climb climb, Progress progress, Verdict stay) {
        SaveLimits now = climb.limits();
        List<Rung> rungs = ladder.rungs();
        for (int at = climb.rung(); at < rungs.size(); at++) {
            LadderStep step = rungs.get(at).step();
            if (step instanceof LadderStep.GiveUp) {
                return giveUp(climb, progress, at + 1);
            }
            int next = at + 1;
            Optional<SaveLimits> raised = step.raise(now, budgetMs).map(limits -> revised(now, limits, next));
            if (raised.isPresent()) {
                return new Verdict.Step(
                        new ConvergenceStep(
                                progress.stats().precopyMillis(),
                                step.text(),
                                Outlook.numbers(progress, now),
                                raised.get()),
                        next);
            }
        }
        // a last step without a hold time leaves the end to the source's deadline, whether it changed anything or not
        return rungs.getLast().holdMillis() == Rung.UNTIL_DEADLINE ? stay : giveUp(climb, progress, rungs.size());
    }

    private SaveLimits revised(SaveLimits before, SaveLimits raised, int next) {
        SaveLimits limits = ladder.ceiled(raised, next, budgetMs);
        return limits.equals(before)
                ? before
                : new SaveLimits(
                        before.revision() + 1,
                        limits.downtimeLimitMs(),
                        limits.downtimeCeilingMs(),
                        limits.bandwidthBytesPerSecond(),
                        limits.throttlePercent(),
                        limits.stopAndCopy(),
                        limits.postcopy());
    }

    private Verdict giveUp(Climb climb, Progress progress, int rung) {
        String numbers = Outlook.numbers(progress, climb.limits());
        String needed = Outlook.known(progress)
                ? "; a downtime of " + Outlook.neededMs(progress) + " ms would be needed, its blackout budget is "
                        + budgetMs + " ms"
                : "";
        return new Verdict.GiveUp(
                new ConvergenceStep(
                        progress.stats().precopyMillis(), new LadderStep.GiveUp().text(), numbers, climb.limits()),
                rung,
                "it did not converge and was given up: " + numbers + needed);
    }
}
