package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.migration.Convergence.Decision;
import io.godwit.proto.migration.SaveLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** At 1,000,000 bytes per second a byte is a microsecond; fixed cost 100 us, limit 1,000 us, deadline 10 s. */
class ConvergenceTest {
    private static final long RATE = 1_000_000;
    private static final Decision GO_ON = new Decision.GoOn();
    private static final Decision SWITCH_OVER = new Decision.SwitchOver();
    private static final DowntimeModel MODEL = new DowntimeModel(Measures.costs(100, 0), 0);
    private static final long LONG = Duration.ofSeconds(11).toNanos();

    private final Limits limits = new Limits(new SaveLimits(0, 1, 1, 0, 0, false), 1000);
    private final Convergence convergence = new Convergence(Duration.ofSeconds(10), 0);
    private long rounds;

    private Decision decide(Measures now) {
        return decide(convergence, now);
    }

    private Decision decide(Convergence with, Measures now) {
        Measured measured = now.get();
        return with.decide(measured, MODEL.predict(measured), MODEL.floor(measured), limits);
    }

    /** After one more round, so many bytes are left. */
    private Measures left(long bytes) {
        return Measures.at(RATE).left(bytes).round(++rounds);
    }

    private static String reason(Decision decision) {
        return ((Decision.GiveUp) decision).reason();
    }

    @Test
    void asksOnceTheStandstillIsWithinTheLimitAndHardlyImproves() {
        assertThat(decide(left(2000))).isEqualTo(GO_ON);
        assertThat(decide(left(800))).as("900 us, from 2,100").isEqualTo(GO_ON);
        assertThat(decide(left(700))).as("800 us, from 900").isEqualTo(SWITCH_OVER);
    }

    @ParameterizedTest
    @CsvSource({"574,true", "575,false", "576,false", "900,false"})
    void takesAnotherRoundWhileOneShortensTheStandstillByMoreThanAQuarter(long left, boolean improving) {
        decide(left(800));
        assertThat(decide(left(left))).isEqualTo(improving ? GO_ON : SWITCH_OVER);
    }

    @Test
    void asksForNothingBeforeAllHasBeenSentOnceHoweverLittleItIs() {
        assertThat(decide(Measures.at(RATE).left(10).round(0))).isEqualTo(GO_ON);
        assertThat(decide(Measures.at(RATE).left(10).round(0))).isEqualTo(GO_ON);
        assertThat(decide(Measures.at(RATE).left(10).round(1))).isEqualTo(SWITCH_OVER);
    }

    @Test
    void syncsWithinARoundAreNoYardstickForIt() {
        decide(left(800));
        // half-way through the second round: less is left, but that says nothing of what the round will bring
        assertThat(decide(Measures.at(RATE).left(400).round(rounds))).isEqualTo(GO_ON);
        assertThat(decide(left(700))).as("800 us, from 900").isEqualTo(SWITCH_OVER);
    }

    @Test
    void withinALongRoundItAsksAsSoonAsTheLimitAllowsOnceRoundsBringLittle() {
        decide(left(5000));
        assertThat(decide(left(4900))).isEqualTo(GO_ON);
        assertThat(decide(Measures.at(RATE).left(900).round(rounds))).isEqualTo(SWITCH_OVER);
    }

    @Test
    void asksAtOnceWhenNothingIsLeftToGain() {
        assertThat(decide(left(11))).as("11 us above a floor of 100").isEqualTo(GO_ON);
        assertThat(decide(new Convergence(Duration.ofSeconds(10), 0), left(10)))
                .as("a tenth above the floor")
                .isEqualTo(SWITCH_OVER);
        assertThat(decide(new Convergence(Duration.ofSeconds(10), 500), left(500)))
                .as("less to gain than a round is worth")
                .isEqualTo(SWITCH_OVER);
    }

    @ParameterizedTest
    @CsvSource({"900,true", "901,false"})
    void theLimitItselfIsStillWithinTheLimit(long left, boolean asks) {
        decide(left(left));
        assertThat(decide(left(left))).isEqualTo(asks ? SWITCH_OVER : GO_ON);
    }

    @Test
    void asksOnceOnlyAndNeverGivesUpAfterwards() {
        assertThat(decide(left(0))).isEqualTo(SWITCH_OVER);
        assertThat(decide(left(0))).isEqualTo(GO_ON);
        assertThat(decide(left(0).pinned(99_999).after(LONG))).isEqualTo(GO_ON);
    }

    @Test
    void givesUpWhenTheFloorIsOverTheLimitAndSaysWhatItConsistsOf() {
        assertThat(reason(decide(
                        Measures.at(RATE).pinned(5_242_880).device(0, 1000).round(0))))
                .contains(
                        "cannot be shorter than 5243 ms",
                        "the limit is 1 ms",
                        "5.0 MiB pinned",
                        "1000 bytes of device state",
                        "1.0 MiB/s");
    }

    @Test
    void doesNotGiveUpByABandwidthThatHasNotSettled() {
        assertThat(decide(Measures.at(RATE).pinned(901).unsettled())).isEqualTo(GO_ON);
        assertThat(decide(Measures.at(0).pinned(901).round(0)))
                .as("none at all")
                .isEqualTo(GO_ON);
    }

    @Test
    void deviceStateThatPreCopyCanTakeIsNoPartOfTheFloorButOfThePrediction() {
        assertThat(decide(left(0).device(5000, 5100))).isEqualTo(GO_ON);
        assertThat(reason(decide(left(0).device(5000, 5950)))).contains("cannot be shorter");
    }

    @Test
    void theFloorCountsBeforeTheDeadline() {
        assertThat(reason(decide(Measures.at(RATE).pinned(901).after(LONG)))).contains("cannot be shorter");
    }

    @Test
    void aFloorUnderTheCeilingIsWaitedFor() {
        limits.take(new SaveLimits(1, 1, 2, 0, 0, false));
        assertThat(decide(left(0).pinned(1500))).as("1.6 ms, up to 2 allowed").isEqualTo(GO_ON);
        limits.take(new SaveLimits(2, 2, 2, 0, 0, false));
        assertThat(decide(left(0).pinned(1500))).isEqualTo(SWITCH_OVER);
    }

    @Test
    void aFloorOverTheCeilingSaysHowFarTheLimitCouldHaveBeenRaised() {
        limits.take(new SaveLimits(1, 1, 2, 0, 0, false));
        assertThat(reason(decide(left(0).pinned(2500)))).contains("the limit can be raised to 2 ms");
    }

    @Test
    void stopAndCopyAsksAtOnceWhateverIsPredicted() {
        limits.take(new SaveLimits(1, 1, 1, 0, 0, true));
        assertThat(decide(Measures.at(RATE).left(5_000_000).pinned(5_000_000).round(0)))
                .isEqualTo(SWITCH_OVER);
        assertThat(decide(left(0))).as("once").isEqualTo(GO_ON);
    }

    @Test
    void asksForNothingBeforeTheDestinationHasTheInitialDataAndSaysSoWhenTimeIsUp() {
        limits.take(new SaveLimits(1, 1, 1, 0, 0, true));
        assertThat(decide(left(0).unacknowledged()))
                .as("not even for stop-and-copy")
                .isEqualTo(GO_ON);
        limits.take(new SaveLimits(2, 1, 1, 0, 0, false));
        assertThat(decide(left(0).unacknowledged())).isEqualTo(GO_ON);
        assertThat(reason(decide(left(0).unacknowledged().after(LONG)))).contains("never said", "initial data");
        assertThat(decide(left(0))).isEqualTo(SWITCH_OVER);
    }

    @ParameterizedTest
    @CsvSource({"10000000000,false", "10000000001,true"})
    void givesUpAtTheDeadlineWithTheNumbersThatExplainIt(long nanos, boolean givesUp) {
        Decision decision = decide(Measures.at(100 << 20)
                .left(512 << 20)
                .dirtying(200 << 20)
                .limited(50 << 20)
                .round(3)
                .after(nanos));
        if (givesUp) {
            assertThat(reason(decision))
                    .contains(
                            "did not converge within 10 s of pre-copy (3 rounds)",
                            "a standstill of 5120 ms would be needed, the limit is 1 ms",
                            "512.0 MiB of RAM",
                            "the guest dirties 200.0 MiB/s (CPU 200.0 MiB/s, DMA 0 bytes/s)",
                            "the link takes 50.0 MiB/s (limit 50.0 MiB/s)");
        } else {
            assertThat(decision).isEqualTo(GO_ON);
        }
    }

    @Test
    void asksRatherThanGivesUpWhenBothHold() {
        decide(left(500));
        assertThat(decide(left(500).after(LONG))).isEqualTo(SWITCH_OVER);
    }

    @Test
    void aRoundWithoutABandwidthIsNoYardstickForTheNext() {
        assertThat(decide(Measures.at(0).left(1).round(1))).isEqualTo(GO_ON);
        assertThat(decide(Measures.at(RATE).left(800).round(1)))
                .as("still the first that counts")
                .isEqualTo(GO_ON);
        assertThat(decide(Measures.at(RATE).left(800).round(2))).isEqualTo(SWITCH_OVER);
    }

    @Test
    void withNoBandwidthMeasuredAllTheTimeItGivesUpAtTheDeadline() {
        assertThat(reason(decide(Measures.at(0).left(4096).after(LONG))))
                .contains("no bandwidth could be measured", "4096 bytes of RAM");
    }

    @Test
    void withNothingLeftToSendNoBandwidthIsNeeded() {
        assertThat(decide(Measures.at(0).round(1))).isEqualTo(SWITCH_OVER);
    }
}
