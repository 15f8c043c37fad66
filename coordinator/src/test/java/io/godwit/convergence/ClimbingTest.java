package io.godwit.convergence;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.convergence.Climbing.Verdict;
import io.godwit.convergence.Climbing.Watch;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A VM with a budget of 1000 ms and a limit of 300 ms; the source takes every change of its limits at once. */
class ClimbingTest {
    private static final long BUDGET_MS = 1000;
    private static final long MIB = 1 << 20;

    private Climbing climbing;
    private Climb climb;
    private Optional<Watch> watch = Optional.empty();

    private void on(String ladder, long bandwidth) {
        Ladder parsed = Ladder.parse(ladder);
        climbing = new Climbing(parsed, BUDGET_MS);
        climb = Climb.from(parsed.first(new MigrationOptions(300, true, bandwidth, 20_000), BUDGET_MS));
    }

    private void on(String ladder) {
        on(ladder, 10 * MIB);
    }

    private Verdict hear(Progress progress) {
        Verdict verdict = climbing.next(climb, watch, progress);
        watch = verdict instanceof Verdict.Stay(var goesOn) ? goesOn : Optional.empty();
        if (verdict instanceof Verdict.Step(var step, var rung)) {
            climb = climb.after(step, rung);
        }
        return verdict;
    }

    /** A report with the limits that are in force. */
    private Verdict hear(long precopyMillis, long predictedMs) {
        return hear(Reports.at(precopyMillis, predictedMs, climb.limits()));
    }

    private ConvergenceStep step(long precopyMillis, long predictedMs) {
        Verdict verdict = hear(precopyMillis, predictedMs);
        assertThat(verdict).isInstanceOf(Verdict.Step.class);
        return ((Verdict.Step) verdict).step();
    }

    private void stays(long precopyMillis, long predictedMs) {
        assertThat(hear(precopyMillis, predictedMs)).isInstanceOf(Verdict.Stay.class);
    }

    private Verdict.GiveUp givesUp(long precopyMillis, long predictedMs) {
        Verdict verdict = hear(precopyMillis, predictedMs);
        assertThat(verdict).isInstanceOf(Verdict.GiveUp.class);
        return (Verdict.GiveUp) verdict;
    }

    @Test
    void climbsToTheTopStepByStepAsConfiguredAndGivesUpThere() {
        on("wait:10s, bandwidth:unlimited:10s, throttle:30%:10s, throttle:60%:10s, downtime:budget:10s, give-up");
        assertThat(step(1000, 2000).step()).isEqualTo("wait");
        assertThat(climb.limits().revision()).isZero();
        stays(1200, 2000);
        stays(11_000, 2000);
        ConvergenceStep bandwidth = step(11_200, 2000);
        assertThat(bandwidth.step()).isEqualTo("bandwidth:unlimited");
        assertThat(bandwidth.precopyMillis()).isEqualTo(11_200);
        assertThat(bandwidth.limits()).isEqualTo(new SaveLimits(1, 300, 1000, 0, 0, false));
        stays(11_400, 2000);
        stays(21_200, 2000);
        assertThat(step(21_400, 2000).limits()).isEqualTo(new SaveLimits(2, 300, 1000, 0, 30, false));
        stays(21_600, 2000);
        assertThat(step(31_600, 2000).limits()).isEqualTo(new SaveLimits(3, 300, 1000, 0, 60, false));
        stays(31_800, 2000);
        assertThat(step(41_800, 2000).limits()).isEqualTo(new SaveLimits(4, 1000, 1000, 0, 60, false));
        stays(42_000, 2000);
        stays(51_800, 2000);
        Verdict.GiveUp end = givesUp(52_000, 2000);
        assertThat(end.step().step()).isEqualTo("give-up");
        assertThat(end.reason())
                .isEqualTo("it did not converge and was given up: the guest dirties 1.2 GiB/s (CPU 1.1 GiB/s,"
                        + " DMA 100 MiB/s, 64 MiB pinned), the link takes 900 MiB/s: a standstill of 2000 ms is"
                        + " predicted, the limit is 1000 ms; a downtime of 2000 ms would be needed, its blackout budget"
                        + " is 1000 ms");
        assertThat(climb.steps())
                .extracting(ConvergenceStep::step)
                .containsExactly("wait", "bandwidth:unlimited", "throttle:30%", "throttle:60%", "downtime:budget");
    }

    @Test
    void theReasonHoldsTheNumbersThatLedToTheStep() {
        on("throttle:30%:10s");
        assertThat(step(1000, 812).reason())
                .isEqualTo("the guest dirties 1.2 GiB/s (CPU 1.1 GiB/s, DMA 100 MiB/s, 64 MiB pinned), the link takes"
                        + " 900 MiB/s (limited to 10 MiB/s): a standstill of 812 ms is predicted, the limit is 300 ms");
        on("throttle:30%:10s", 0);
        Verdict hidden = hear(Reports.report(1, 1000, Long.MAX_VALUE, climb.limits(), false));
        assertThat(((Verdict.Step) hidden).step().reason())
                .endsWith("the link takes 900 MiB/s: no standstill can be predicted, the limit is 300 ms"
                        + " (not trustworthy: a container hides pinned pages until the stop)");
    }

    @Test
    void theClockOfTheFirstStepStartsWhenAllMemoryHasBeenSentOnce() {
        on("wait:10s, throttle:30%:10s");
        for (long millis = 0; millis < 600_000; millis += 1000) {
            assertThat(hear(Reports.report(0, millis, 9_000_000, climb.limits(), true)))
                    .isEqualTo(new Verdict.Stay(Optional.empty()));
        }
        assertThat(step(600_000, 2000).step()).isEqualTo("wait");
        stays(600_200, 2000);
        stays(610_000, 2000);
        assertThat(step(610_200, 2000).step()).isEqualTo("throttle:30%");
    }

    @Test
    void aGuestThatNeverLetsAPassEndIsCountedByTheBytesSent() {
        on("throttle:30%:10s");
        assertThat(hear(Reports.sent(0, (1 << 30) - 4096, 1000, 9_000_000, climb.limits(), true)))
                .isEqualTo(new Verdict.Stay(Optional.empty()));
        assertThat(hear(Reports.sent(0, 1 << 30, 1200, 9_000_000, climb.limits(), true)))
                .isInstanceOf(Verdict.Step.class);
    }

    @Test
    void aPredictionThatFallsByMoreThanAQuarterRestartsTheHold() {
        on("wait:10s, throttle:30%:10s");
        step(1000, 4000);
        stays(1200, 4000);
        stays(9000, 3000); // by a quarter: not by more
        stays(9200, 2999);
        stays(11_200, 2999);
        stays(19_000, 2200);
        stays(29_000 - 1, 2200);
        assertThat(step(29_000, 2200).step()).isEqualTo("throttle:30%");
    }

    @Test
    void withinTheLimitNoClockRunsHoweverLongTheAcknowledgementTakes() {
        on("wait:1s, throttle:30%:1s, give-up");
        stays(1000, 300);
        stays(90_000, 300);
        step(90_200, 301);
        stays(91_000, 301);
        stays(91_100, 299);
        stays(91_300, 301);
        stays(92_200, 301);
        assertThat(step(92_300, 301).step()).isEqualTo("throttle:30%");
    }

    @Test
    void theHoldBeginsOnlyWhenTheSourceHasTakenTheStep() {
        on("throttle:30%:1s, throttle:60%:1s");
        SaveLimits before = climb.limits();
        step(1000, 2000);
        assertThat(hear(Reports.at(5000, 2000, before))).isEqualTo(new Verdict.Stay(Optional.empty()));
        stays(6000, 2000);
        stays(6999, 2000);
        assertThat(step(7000, 2000).step()).isEqualTo("throttle:60%");
    }

    @Test
    void aRecoveredMigrationHoldsItsStepAnewBeforeItTakesTheNext() {
        on("wait:10s, throttle:30%:10s, throttle:60%:10s");
        step(1000, 2000);
        stays(1200, 2000);
        step(11_200, 2000);
        stays(11_400, 2000);
        watch = Optional.empty(); // all but the climb is forgotten; nobody watched for a minute
        stays(71_400, 2000);
        stays(81_399, 2000);
        assertThat(step(81_400, 2000).step()).isEqualTo("throttle:60%");
    }

    @Test
    void passesOverWhatWouldChangeNothingTogetherWithItsHold() {
        on("wait:1s, bandwidth:unlimited:100s, downtime:200ms:100s, throttle:30%:1s, throttle:20%:100s, give-up", 0);
        step(1000, 2000);
        stays(1200, 2000);
        assertThat(step(2200, 2000).step()).isEqualTo("throttle:30%");
        stays(2400, 2000);
        givesUp(3400, 2000);
    }

    @Test
    void raisesABandwidthLimitOnly() {
        on("bandwidth:5MiB/s:1s, bandwidth:20MiB/s:1s");
        assertThat(step(1000, 2000).limits().bandwidthBytesPerSecond()).isEqualTo(20 * MIB);
    }

    @Test
    void neverRaisesTheDowntimeLimitOverTheBudget() {
        on("downtime:700ms:1s, downtime:60s:1s, downtime:90s:1s, give-up");
        assertThat(step(1000, 5000).limits().downtimeLimitMs()).isEqualTo(700);
        stays(1200, 5000);
        assertThat(step(2200, 5000).limits().downtimeLimitMs()).isEqualTo(BUDGET_MS);
        stays(2400, 5000);
        givesUp(3400, 5000);
    }

    @Test
    void aLastStepWithoutAHoldLeavesTheEndToTheDeadline() {
        on("wait:1s, downtime:budget");
        step(1000, 5000);
        stays(1200, 5000);
        step(2200, 5000);
        stays(2400, 5000);
        stays(9_000_000, 5000);
    }

    @Test
    void aLastStepWithoutAHoldThatChangesNothingLeavesTheEndToTheDeadlineToo() {
        on("wait:1s, downtime:300ms");
        step(1000, 5000);
        stays(1200, 5000);
        stays(9_000_000, 5000);
    }

    @Test
    void aHoldAtTheEndOfTheLadderEndsInGivingUp() {
        on("wait:1s");
        step(1000, 5000);
        stays(1200, 5000);
        assertThat(givesUp(2200, 5000).reason()).contains("a downtime of 5000 ms would be needed");
    }

    @Test
    void givingUpBeforeAnythingIsKnownAboutTheLinkNamesNoDowntime() {
        on("give-up");
        Verdict verdict = hear(Reports.report(1, 1000, Long.MAX_VALUE, climb.limits(), true));
        assertThat(((Verdict.GiveUp) verdict).reason())
                .contains("no standstill can be predicted")
                .doesNotContain("would be needed");
    }

    @Test
    void stopAndCopyIsTheLastThingItAsksFor() {
        on("wait:1s, stop-and-copy");
        step(1000, 5000);
        stays(1200, 5000);
        SaveLimits limits = step(2200, 5000).limits();
        assertThat(limits.stopAndCopy()).isTrue();
        assertThat(limits.downtimeLimitMs()).isEqualTo(300);
        assertThat(limits.downtimeCeilingMs()).isEqualTo(Long.MAX_VALUE);
        stays(2400, 5000);
        stays(9_000_000, 5000);
    }

    @Test
    void theCeilingFallsToTheLimitWhenNoStepAheadRaisesIt() {
        on("downtime:700ms:1s, throttle:30%:1s");
        assertThat(climb.limits().downtimeCeilingMs()).isEqualTo(700);
        assertThat(step(1000, 5000).limits()).isEqualTo(new SaveLimits(1, 700, 700, 10 * MIB, 0, false));
    }

    @Test
    void withoutALadderNothingIsDone() {
        on("");
        stays(1000, 5000);
        stays(9_000_000, 5000);
    }
}
