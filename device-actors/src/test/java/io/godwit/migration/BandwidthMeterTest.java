package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BandwidthMeterTest {
    private static final long MS = 1_000_000;
    private final BandwidthMeter meter = new BandwidthMeter();

    @Test
    void knowsNothingBeforeTheFirstSample() {
        assertThat(meter.bytesPerSecond()).isZero();
        assertThat(meter.settled()).isFalse();
    }

    @Test
    void weighsSamplesByTimeSoThatABurstIsNotTheLink() {
        meter.add(1_000_000, MS);
        meter.add(99_000_000, 999 * MS);
        assertThat(meter.bytesPerSecond()).isEqualTo(100_000_000);
    }

    @Test
    void samplesWithoutBytesOrTimeSayNothing() {
        meter.add(0, MS);
        meter.add(1000, 0);
        meter.add(-5, MS);
        meter.atLeast(0, MS);
        meter.atLeast(5, 0);
        assertThat(meter.bytesPerSecond()).isZero();
    }

    @Test
    void forgetsAllButTheLast32Samples() {
        meter.add(1_000_000_000, MS);
        for (int i = 0; i < 32; i++) {
            meter.add(1000, MS);
        }
        assertThat(meter.bytesPerSecond()).isEqualTo(1_000_000);
    }

    @Test
    void hasSettledAfterAFifthOfASecondOfBusyTime() {
        meter.add(1, 200 * MS - 1);
        assertThat(meter.settled()).isFalse();
        meter.add(1, 1);
        assertThat(meter.settled()).isTrue();
    }

    @Test
    void aLowerBoundCountsOnlyUntilThereIsASampleAndSettlesNothing() {
        meter.atLeast(2000, 1000 * MS);
        meter.atLeast(1000, 1000 * MS);
        assertThat(meter.bytesPerSecond()).as("the best bound").isEqualTo(2000);
        assertThat(meter.settled()).isFalse();
        meter.add(500, 1000 * MS);
        assertThat(meter.bytesPerSecond()).isEqualTo(500);
    }
}
