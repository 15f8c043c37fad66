package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.migration.Convergence.Decision;
import io.godwit.migration.Convergence.Measured;
import io.godwit.proto.migration.SaveLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** At 1,000,000 bytes per second a byte is a microsecond; fixed cost 100 us, limit 1,000 us, timeout 10 s. */
class ConvergenceTest {
    private static final long RATE = 1_000_000;
    private static final Decision GO_ON = new Decision.GoOn();
    private static final Limits LIMITS = new Limits(new SaveLimits(0, 1, 1, 0, 0, false), 1000);

    private final Convergence convergence = new Convergence(new DowntimeModel(100, 0), Duration.ofSeconds(10), 0);

    private static Measured ram(long bytes) {
        return new Measured(bytes, 0, 0, 0, RATE, true, 0, true);
    }

    @Test
    void asksOnceTheStandstillIsWithinTheLimitAndHardlyImproves() {
        assertThat(convergence.decide(ram(2000), LIMITS)).isEqualTo(GO_ON);
        assertThat(convergence.decide(ram(800), LIMITS))
                .as("900 us, from 2,100")
                .isEqualTo(GO_ON);
        assertThat(convergence.decide(ram(700), LIMITS)).as("800 us, from 900").isEqualTo(new Decision.SwitchOver(800));
    }

    @ParameterizedTest
    @CsvSource({"574,true", "575,false", "576,false", "900,false"})
    void takesAnotherRoundWhileItShortensTheStandstillByMoreThanAQuarter(long left, boolean improving) {
        convergence.decide(ram(800), LIMITS);
        assertThat(convergence.decide(ram(left), LIMITS))
                .as("from 900 us to %d us", left + 100)
                .isEqualTo(improving ? GO_ON : new Decision.SwitchOver(left + 100));
    }

    @Test
    void asksAtOnceWhenNothingIsLeftToGain() {
        assertThat(convergence.decide(ram(11), LIMITS))
                .as("11 us above a floor of 100")
                .isEqualTo(GO_ON);
        assertThat(new Convergence(new DowntimeModel(100, 0), Duration.ofSeconds(10), 0).decide(ram(10), LIMITS))
                .as("a tenth above the floor")
                .isEqualTo(new Decision.SwitchOver(110));
        assertThat(new Convergence(new DowntimeModel(100, 0), Duration.ofSeconds(10), 500).decide(ram(500), LIMITS))
                .as("less to gain than a round is worth")
                .isEqualTo(new Decision.SwitchOver(600));
    }

    @ParameterizedTest
    @CsvSource({"900,true", "901,false"})
    void theLimitItselfIsStillWithinTheLimit(long left, boolean asks) {
        convergence.decide(ram(left), LIMITS);
        assertThat(convergence.decide(ram(left), LIMITS)).isEqualTo(asks ? new Decision.SwitchOver(left + 100) : GO_ON);
    }

    @Test
    void asksOnceOnlyAndNeverGivesUpAfterwards() {
        assertThat(convergence.decide(ram(0), LIMITS)).isInstanceOf(Decision.SwitchOver.class);
        assertThat(convergence.decide(ram(0), LIMITS)).isEqualTo(GO_ON);
        assertThat(convergence.decide(new Measured(0, 99_999, 0, 0, RATE, true, Long.MAX_VALUE, true), LIMITS))
                .isEqualTo(GO_ON);
    }

    @Test
    void givesUpWhenTheFloorIsOverTheLimitAndSaysWhatItConsistsOf() {
        Measured pinned = new Measured(0, 901, 0, 0, RATE, true, 0, true);
        assertThat(convergence.floorMicros(pinned)).isEqualTo(1001);
        assertThat(convergence.decide(pinned, LIMITS))
                .isInstanceOfSatisfying(
                        Decision.GiveUp.class,
                        up -> assertThat(up.reason()).contains("901 pinned bytes", "1000000 bytes/s", "limit of 1 ms"));
    }

    @Test
    void doesNotGiveUpByABandwidthThatHasNotSettled() {
        assertThat(convergence.decide(new Measured(0, 901, 0, 0, RATE, false, 0, true), LIMITS))
                .isEqualTo(GO_ON);
    }

    @Test
    void deviceStateThatPreCopyCanTakeIsNoPartOfTheFloorButOfThePrediction() {
        Measured device = new Measured(0, 0, 5000, 5100, RATE, true, 0, true);
        assertThat(convergence.floorMicros(device)).isEqualTo(200);
        assertThat(convergence.predictMicros(device)).isEqualTo(5200);
        assertThat(convergence.decide(device, LIMITS)).isEqualTo(GO_ON);
        assertThat(convergence.floorMicros(new Measured(0, 0, 50, 40, RATE, true, 0, true)))
                .as("a device that says less for the stop than for pre-copy owes nothing")
                .isEqualTo(100);
    }

    @Test
    void theFloorCountsBeforeTheTimeout() {
        assertThat(convergence.decide(new Measured(0, 901, 0, 0, RATE, true, Long.MAX_VALUE, true), LIMITS))
                .isInstanceOfSatisfying(
                        Decision.GiveUp.class, up -> assertThat(up.reason()).contains("cannot be shorter"));
    }

    @ParameterizedTest
    @CsvSource({"10000000000,false", "10000000001,true"})
    void givesUpAfterTheTimeoutWithTheStandstillThatWouldBeNeeded(long nanos, boolean givesUp) {
        Decision decision = convergence.decide(new Measured(5_000_000, 0, 0, 0, RATE, true, nanos, true), LIMITS);
        if (givesUp) {
            assertThat(decision)
                    .isInstanceOfSatisfying(
                            Decision.GiveUp.class,
                            up -> assertThat(up.reason()).contains("10 s", "5000 ms would be needed", "limit is 1 ms"));
        } else {
            assertThat(decision).isEqualTo(GO_ON);
        }
    }

    @Test
    void asksRatherThanGivesUpWhenBothHold() {
        convergence.decide(ram(500), LIMITS);
        assertThat(convergence.decide(new Measured(500, 0, 0, 0, RATE, true, Long.MAX_VALUE, true), LIMITS))
                .isEqualTo(new Decision.SwitchOver(600));
    }

    @Test
    void withNoBandwidthMeasuredYetItGoesOnAndTheSyncIsNoYardstickForTheNext() {
        assertThat(convergence.decide(new Measured(1, 0, 0, 0, 0, false, 0, true), LIMITS))
                .isEqualTo(GO_ON);
        assertThat(convergence.decide(ram(800), LIMITS))
                .as("still the first that counts")
                .isEqualTo(GO_ON);
        assertThat(convergence.decide(ram(800), LIMITS)).isEqualTo(new Decision.SwitchOver(900));
    }

    @Test
    void withNoBandwidthMeasuredAllTheTimeItGivesUpAfterTheTimeout() {
        assertThat(convergence.decide(new Measured(4096, 0, 0, 0, 0, false, 10_000_000_001L, true), LIMITS))
                .isInstanceOfSatisfying(
                        Decision.GiveUp.class,
                        up -> assertThat(up.reason()).contains("no bandwidth could be measured", "4096 bytes"));
    }

    @Test
    void withNothingLeftToSendNoBandwidthIsNeeded() {
        Measured nothing = new Measured(0, 0, 0, 0, 0, false, 0, true);
        assertThat(convergence.decide(nothing, LIMITS)).isEqualTo(new Decision.SwitchOver(100));
    }

    @Test
    void aFloorUnderTheCeilingIsWaitedFor() {
        Measured pinned = new Measured(0, 1500, 0, 0, RATE, true, 0, true);
        Limits rising = new Limits(new SaveLimits(0, 1, 2, 0, 0, false), 1000);
        assertThat(convergence.decide(pinned, rising))
                .as("1.6 ms, up to 2 allowed")
                .isEqualTo(GO_ON);
        rising.take(new SaveLimits(1, 2, 2, 0, 0, false));
        assertThat(convergence.decide(pinned, rising)).isEqualTo(new Decision.SwitchOver(1600));
    }

    @Test
    void stopAndCopyAsksAtOnceWhateverIsPredicted() {
        Limits now = new Limits(new SaveLimits(0, 1, 1, 0, 0, true), 1000);
        assertThat(convergence.decide(new Measured(5_000_000, 0, 0, 0, RATE, true, 0, true), now))
                .isEqualTo(new Decision.SwitchOver(5_000_100));
        assertThat(convergence.decide(ram(0), now)).as("once").isEqualTo(GO_ON);
    }

    @Test
    void asksForNothingBeforeTheDestinationHasTheInitialDataAndSaysSoWhenTimeIsUp() {
        Limits now = new Limits(new SaveLimits(0, 1, 1, 0, 0, true), 1000);
        assertThat(convergence.decide(new Measured(0, 0, 0, 0, RATE, true, 0, false), now))
                .as("not even for stop-and-copy")
                .isEqualTo(GO_ON);
        assertThat(convergence.decide(new Measured(0, 0, 0, 0, RATE, true, 0, false), LIMITS))
                .isEqualTo(GO_ON);
        assertThat(convergence.decide(new Measured(0, 0, 0, 0, RATE, true, Long.MAX_VALUE, false), LIMITS))
                .isInstanceOfSatisfying(
                        Decision.GiveUp.class, up -> assertThat(up.reason()).contains("initial data"));
        assertThat(convergence.decide(new Measured(0, 0, 0, 0, RATE, true, 0, true), LIMITS))
                .isEqualTo(new Decision.SwitchOver(100));
    }
}
