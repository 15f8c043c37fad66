package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.qemu.QemuLearnt.Standstill;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QemuForecastTest {
    private static final Duration FIXED = Duration.ofMillis(60);
    private static final long MIB = 1 << 20;

    private static final Duration FIXED_MAX = Duration.ofSeconds(2);

    private final QemuLearnt learnt = new QemuLearnt();

    private static QemuFigures figures(long remaining, long bandwidth, long dirtyRate, int syncs, boolean running) {
        return new QemuFigures(
                "active",
                running ? "running" : "paused",
                running,
                100 * MIB,
                remaining,
                0,
                0,
                bandwidth,
                dirtyRate,
                syncs,
                0,
                -1,
                0,
                Optional.empty(),
                List.of());
    }

    private QemuForecast forecast() {
        return new QemuForecast(learnt.costs(way("host-b"), FIXED));
    }

    @Test
    void whatIsLeftGoesAsFastAsItWasSeenToAndTheFixedPartIsTheConfiguredOne() {
        QemuForecast forecast = forecast();
        forecast.take(figures(10 * MIB, 100 * MIB, 0, 2, true), 0);
        assertThat(forecast.predictedMicros()).isEqualTo(160_000);
        assertThat(forecast.floorMicros()).isEqualTo(60_000);
        assertThat(forecast.trustworthy()).isTrue();
    }

    @Test
    void whatTheGuestHasDirtiedSinceTheLastLookIsAddedWhileItRuns() {
        QemuForecast forecast = forecast();
        forecast.take(figures(10 * MIB, 100 * MIB, 20 * MIB, 2, true), 0);
        forecast.take(figures(10 * MIB, 100 * MIB, 20 * MIB, 2, true), 500_000_000);
        assertThat(forecast.leftBytes()).isEqualTo(20 * MIB);
        forecast.take(figures(10 * MIB, 100 * MIB, 20 * MIB, 2, false), 900_000_000);
        assertThat(forecast.leftBytes()).isEqualTo(10 * MIB);
    }

    @Test
    void neverMoreIsLeftThanThereIs() {
        QemuForecast forecast = forecast();
        forecast.take(figures(90 * MIB, 100 * MIB, 50 * MIB, 2, true), 0);
        forecast.take(figures(90 * MIB, 100 * MIB, 50 * MIB, 2, true), 5_000_000_000L);
        assertThat(forecast.leftBytes()).isEqualTo(100 * MIB);
    }

    @Test
    void beforeAnyBandwidthIsKnownItIsTheLongestThereIs() {
        QemuForecast forecast = forecast();
        forecast.take(figures(MIB, 0, 0, 1, true), 0);
        assertThat(forecast.predictedMicros()).isEqualTo(Long.MAX_VALUE);
        assertThat(forecast.trustworthy()).isFalse();
    }

    @Test
    void standstillsTeachTheFixedPartAndTheBandwidthOfThatDestinationAlone() {
        learn(new Standstill(false, 30_000, 10 * MIB, 10 * MIB, 10_000));
        QemuForecast forecast = forecast();
        forecast.take(figures(100 * MIB, 100 * MIB, 0, 2, true), 0);
        // 20 ms that no byte explains, and 1000 MiB/s instead of the limited 100
        assertThat(forecast.predictedMicros()).isEqualTo(120_000);
        assertThat(forecast.floorMicros()).isEqualTo(20_000);
        QemuForecast elsewhere = new QemuForecast(learnt.costs(way("host-c"), FIXED));
        assertThat(elsewhere.floorMicros()).isEqualTo(60_000);
    }

    @Test
    void aFewBytesTeachNothingOfTheBandwidth() {
        learn(new Standstill(false, 30_000, 4096, 4096, 1));
        assertThat(learnt.costs(way("host-b"), FIXED).bandwidth()).isZero();
        assertThat(learnt.costs(way("host-b"), FIXED).fixedMicros()).isEqualTo(29_999);
    }

    @Test
    void emptyPagesThatAreLeftCountThoughNextToNothingIsSentOfThem() {
        learn(new Standstill(false, 150_000, 100 * MIB, 20 * MIB, 100_000));
        QemuForecast forecast = forecast();
        forecast.take(figures(100 * MIB, MIB, 0, 2, true), 0);
        assertThat(forecast.predictedMicros()).isEqualTo(150_000);
    }

    @Test
    void oneBusyMomentMovesNoPromiseAndOldOnesAreForgotten() {
        for (int i = 0; i < 5; i++) {
            learn(new Standstill(false, 20_000, 0, 0, 0));
        }
        learn(new Standstill(false, 900_000, 0, 0, 0));
        assertThat(learnt.costs(way("host-b"), FIXED).fixedMicros()).isEqualTo(20_000);
        for (int i = 0; i < 8; i++) {
            learn(new Standstill(false, 50_000, 0, 0, 0));
        }
        assertThat(learnt.costs(way("host-b"), FIXED).fixedMicros()).isEqualTo(50_000);
    }

    @Test
    void aStandstillInWhichSomethingBrokeTeachesNothing() {
        learn(new Standstill(false, 43_336_000, 10 * MIB, 10 * MIB, 10_000));
        learn(new Standstill(true, 7_000_000, 0, 0, 0));
        assertThat(learnt.costs(way("host-b"), FIXED)).isEqualTo(learnt.costs(way("host-c"), FIXED));
        // 30 s of sending that the bytes explain
        learn(new Standstill(false, 30_020_000, 1000 * MIB, 1000 * MIB, 30_000_000));
        assertThat(learnt.costs(way("host-b"), FIXED).fixedMicros()).isEqualTo(20_000);
    }

    private static QemuLearnt.Way way(String host) {
        return new QemuLearnt.Way(host, false);
    }

    private void learn(Standstill measured) {
        learnt.learn(way("host-b"), measured, FIXED_MAX);
    }

    @Test
    void whatQemuStopsByItselfIsPromisedFromStandstillsOfThatKind() {
        assertThat(forecast().earlyMicros()).isEqualTo(60_000);
        learn(new Standstill(false, 20_000, 0, 0, 0));
        assertThat(forecast().earlyMicros()).as("better than nothing").isEqualTo(20_000);
        learn(new Standstill(true, 45_000, 0, 0, 0));
        assertThat(forecast().earlyMicros()).isEqualTo(45_000);
        assertThat(forecast().floorMicros()).isEqualTo(20_000);
    }
}
