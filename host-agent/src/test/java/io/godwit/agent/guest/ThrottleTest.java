package io.godwit.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThrottleTest {
    private static final long MS = 1_000_000;

    private final Throttle throttle = new Throttle(10 * MS);
    private long now = -3 * MS; // a clock's origin is arbitrary

    /** Nanoseconds worked in {@code total}, in batches of {@code batch}, with sleeps that last {@code late} too long. */
    private long work(long total, int percent, long batch, long late) {
        throttle.restart(now);
        long end = now + total;
        long worked = 0;
        while (now < end) {
            long held = throttle.holdNanos(now, percent);
            if (held > 0) {
                now += held + late;
            } else {
                now += batch;
                worked += batch;
            }
        }
        return worked;
    }

    @ParameterizedTest
    @CsvSource({
        "0, 100000, 10000",
        "1, 100000, 9900",
        "30, 100000, 7000",
        "50, 700000, 5000",
        "90, 700000, 1000",
        "99, 10000, 100",
        "99, 2000000, 100"
    })
    void leavesExactlyTheRestOfTheTimeHoweverLongABatchTakes(int percent, long batch, long expectedMillis) {
        long worked = work(10_000 * MS, percent, batch, 0);
        assertThat(worked / (double) MS).isBetween(expectedMillis * 0.98 - 2, expectedMillis * 1.02 + 2);
    }

    @Test
    void wakingUpLateIsNoPunishment() {
        long worked = work(10_000 * MS, 50, MS / 10, MS);
        assertThat(worked / (double) MS).isBetween(4900.0, 5100.0);
    }

    @Test
    void takesTurnsOfASlice() {
        throttle.restart(0);
        assertThat(throttle.holdNanos(0, 30)).isZero();
        assertThat(throttle.holdNanos(6 * MS, 30)).isZero();
        assertThat(throttle.holdNanos(7 * MS + 700, 30)).isBetween(3 * MS, 3 * MS + 300);
        assertThat(throttle.holdNanos(9 * MS, 30)).as("woken early").isBetween(MS, MS + 1000);
        assertThat(throttle.holdNanos(10 * MS + 1000, 30)).isZero();
        assertThat(throttle.holdNanos(11 * MS, 30)).isZero();
    }

    @Test
    void anotherShareHoldsAtOnceAndNoneLetsGo() {
        throttle.restart(0);
        assertThat(throttle.holdNanos(0, 99)).isZero();
        assertThat(throttle.holdNanos(10 * MS, 99)).isEqualTo(990 * MS);
        assertThat(throttle.holdNanos(20 * MS, 50))
                .as("nothing is owed at the old rate")
                .isZero();
        assertThat(throttle.holdNanos(25 * MS, 50)).isEqualTo(5 * MS);
        assertThat(throttle.holdNanos(26 * MS, 0)).isZero();
    }

    @Test
    void aVcpuThatTheMachineKeptWaitingOwesASliceAtMost() {
        throttle.restart(0);
        assertThat(throttle.holdNanos(0, 50)).isZero();
        assertThat(throttle.holdNanos(60_000 * MS, 50)).isEqualTo(10 * MS);
    }

    @Test
    void timeHeldBackIsNoTimeOfItsOwnSoAPacedVcpuWritesLessAndNotLater() {
        Pacer pacer = new Pacer(1000, 512, MS, 100 * MS);
        throttle.restart(now);
        pacer.restart(throttle.ownNanos());
        long end = now + 10_000 * MS;
        long written = 0;
        while (now < end) {
            long held = throttle.holdNanos(now, 75);
            if (held > 0) {
                now += held;
                continue;
            }
            int due = pacer.due(throttle.ownNanos());
            pacer.wrote(due);
            written += due;
            now += due > 0 ? 0 : pacer.waitNanos(throttle.ownNanos());
        }
        assertThat(written).isBetween(2450L, 2550L);
    }
}
