package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BandwidthMeterTest {
    private static final long MS = 1_000_000;

    private static BandwidthMeter taught(long prior) {
        return new BandwidthMeter(prior, Duration.ofSeconds(2), Duration.ofMillis(50));
    }

    private final BandwidthMeter meter = taught(0);

    @Test
    void knowsNothingBeforeTheFirstSample() {
        assertThat(meter.bytesPerSecond()).isZero();
        assertThat(meter.known()).isFalse();
        assertThat(meter.settled()).isFalse();
    }

    @Test
    void aBurstIntoSocketBuffersIsNotTheLink() {
        for (int i = 0; i < 10; i++) {
            meter.add(10_000_000, 100 * MS); // 100 MB/s
        }
        meter.add(4_000_000, MS); // 4 GB/s, for a millisecond
        assertThat(meter.bytesPerSecond()).isBetween(100_000_000L, 105_000_000L);
    }

    @Test
    void aBurstAtTheVeryBeginningWeighsNoMoreThanItsMoment() {
        meter.add(4_000_000, MS);
        meter.add(19_900_000, 199 * MS);
        assertThat(meter.bytesPerSecond()).isBetween(110_000_000L, 120_000_000L);
        BandwidthMeter known = taught(100_000_000);
        known.add(4_000_000, MS);
        assertThat(known.bytesPerSecond())
                .as("less still where something is known")
                .isLessThan(180_000_000);
    }

    @Test
    void followsALinkThatGetsSlowerWithinItsWindow() {
        for (int i = 0; i < 100; i++) {
            meter.add(10_000_000, 100 * MS);
        }
        for (int i = 0; i < 60; i++) {
            meter.add(1_000_000, 100 * MS);
        }
        assertThat(meter.bytesPerSecond()).isBetween(10_000_000L, 16_000_000L);
    }

    @Test
    void whatWasTaughtStandsInUntilItIsMeasured() {
        BandwidthMeter known = taught(1_000_000_000);
        assertThat(known.bytesPerSecond()).isEqualTo(1_000_000_000);
        assertThat(known.settled()).isTrue();
        assertThat(known.measured()).isFalse();
        for (int i = 0; i < 20; i++) {
            known.add(10_000_000, 100 * MS);
        }
        assertThat(known.bytesPerSecond()).isBetween(100_000_000L, 130_000_000L);
    }

    @Test
    void samplesWithoutBytesOrTimeSayNothing() {
        meter.add(0, MS);
        meter.add(1000, 0);
        meter.add(-5, MS);
        meter.atLeast(0, MS);
        meter.atLeast(5, 0);
        assertThat(meter.bytesPerSecond()).isZero();
        assertThat(meter.known()).isFalse();
    }

    @Test
    void hasSettledAfterEnoughTimeOfSending() {
        meter.add(1, 50 * MS - 1);
        assertThat(meter.settled()).isFalse();
        meter.add(1, 1);
        assertThat(meter.settled()).isTrue();
    }

    @Test
    void aLowerBoundCountsOnlyUntilSomethingIsKnownAndNeverMakesThatWorse() {
        meter.atLeast(2000, 1000 * MS);
        meter.atLeast(1000, 1000 * MS);
        assertThat(meter.bytesPerSecond()).as("the best bound").isEqualTo(2000);
        assertThat(meter.settled()).isFalse();
        assertThat(meter.known()).isFalse();
        meter.add(500, 1000 * MS);
        assertThat(meter.bytesPerSecond()).isEqualTo(500);
        BandwidthMeter known = taught(1_000_000_000);
        known.atLeast(2000, 1000 * MS);
        assertThat(known.bytesPerSecond()).isEqualTo(1_000_000_000);
    }
}
