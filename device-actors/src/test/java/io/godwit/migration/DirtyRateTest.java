package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DirtyRateTest {
    private static final long MS = 1_000_000;
    private final DirtyRate rate = new DirtyRate();

    @Test
    void knowsNothingBeforeTheFirstSync() {
        assertThat(rate.pagesIn(MS)).isZero();
        assertThat(rate.perSecond()).isZero();
    }

    @Test
    void aSteadyGuestDirtiesInProportionToTime() {
        for (int ms = 10; ms <= 200; ms += 10) {
            rate.add(ms * 5L, ms * MS); // 5 pages a millisecond
        }
        assertThat(rate.pagesIn(20 * MS)).isCloseTo(100, within(1.0));
        assertThat(rate.pagesIn(MS)).isCloseTo(5, within(0.1));
        assertThat(rate.perSecond()).isEqualTo(5000);
    }

    @Test
    void aSmallWorkingSetIsNotDirtiedTwice() {
        // 10 pages a millisecond, but only 1,000 different ones
        for (int i = 0; i < 8; i++) {
            rate.add(200, 20 * MS);
            rate.add(1000, 200 * MS);
        }
        assertThat(rate.pagesIn(20 * MS)).isCloseTo(200, within(1.0));
        assertThat(rate.pagesIn(150 * MS)).as("not 1,500").isLessThanOrEqualTo(1000);
    }

    @Test
    void shortTimesAreToldByShortSyncs() {
        // a hundred pages over and over: 50 ms find as many as 200
        for (int i = 0; i < 8; i++) {
            rate.add(100, 50 * MS);
            rate.add(100, 200 * MS);
        }
        assertThat(rate.pagesIn(50 * MS)).isCloseTo(100, within(1.0));
        assertThat(rate.pagesIn(200 * MS)).isCloseTo(100, within(1.0));
    }

    @Test
    void aBurstBetweenTwoSyncsIsNotTheRule() {
        for (int i = 0; i < 8; i++) {
            rate.add(100, 100 * MS);
        }
        rate.add(50_000, 100 * MS);
        rate.add(50_000, 100 * MS);
        assertThat(rate.pagesIn(100 * MS)).isCloseTo(100, within(1.0));
    }

    @Test
    void followsAGuestThatBecomesFaster() {
        for (int i = 0; i < 16; i++) {
            rate.add(100, 100 * MS);
        }
        for (int i = 0; i < 16; i++) {
            rate.add(900, 100 * MS);
        }
        assertThat(rate.pagesIn(100 * MS)).isCloseTo(900, within(1.0));
    }
}
