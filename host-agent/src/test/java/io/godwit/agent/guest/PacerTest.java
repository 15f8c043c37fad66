package io.godwit.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PacerTest {
    private static final long MS = 1_000_000;

    @Test
    void owesExactlyTheRateHoweverItIsAsked() {
        Pacer pacer = new Pacer(333, 512, MS, 1000 * MS);
        long now = -5 * MS; // a clock's origin is arbitrary
        pacer.restart(now);
        long end = now + 10_000 * MS;
        long written = 0;
        while (now < end) {
            int due = pacer.due(now);
            pacer.wrote(due);
            written += due;
            now = due > 0 ? now : Math.min(end, now + pacer.waitNanos(now));
        }
        assertThat(written).isBetween(3328L, 3330L);
    }

    @Test
    void waitsForTheNextPageAndNotLessThanTheQuantum() {
        Pacer slow = new Pacer(4, 512, MS, 100 * MS);
        slow.restart(0);
        assertThat(slow.due(0)).isZero();
        assertThat(slow.waitNanos(0)).isEqualTo(250 * MS);
        assertThat(slow.waitNanos(200 * MS)).isEqualTo(50 * MS);
        assertThat(slow.due(250 * MS)).isEqualTo(1);
        Pacer fast = new Pacer(1_000_000, 512, MS, 100 * MS);
        fast.restart(0);
        assertThat(fast.waitNanos(0)).isEqualTo(MS);
    }

    @Test
    void forgivesADebtBeyondTheCatchUp() {
        Pacer pacer = new Pacer(1000, 512, MS, 100 * MS);
        pacer.restart(0);
        int caughtUp = 0;
        for (int due = pacer.due(60_000 * MS); due > 0; due = pacer.due(60_000 * MS)) {
            pacer.wrote(due);
            caughtUp += due;
        }
        assertThat(caughtUp).isEqualTo(100);
        assertThat(pacer.due(60_001 * MS)).isEqualTo(1);
    }

    @Test
    void neverOwesMoreThanABatchAndAFullOneWithoutARate() {
        Pacer paced = new Pacer(1_000_000, 512, MS, 100 * MS);
        paced.restart(0);
        assertThat(paced.due(50 * MS)).isEqualTo(512);
        assertThat(new Pacer(0, 512, MS, 100 * MS).due(0)).isEqualTo(512);
    }
}
