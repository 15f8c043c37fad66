package io.godwit.proto.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** At 1,000,000 bytes a millisecond; a handoff of 20 ms, a sync of 2 ms. */
class LeftAtStopTest {
    private static final long MS = 1_000_000;
    private static final long RATE = 1_000_000_000;

    private static long left(long now, Dirtying dirtied) {
        return LeftAtStop.bytes(now, RATE, dirtied, 20 * MS, 2 * MS);
    }

    /** Writes so many different bytes a millisecond, up to the working set. */
    private static Dirtying writes(double bytesPerMs, double workingSet) {
        return nanos -> Math.min(workingSet, bytesPerMs * nanos / MS);
    }

    @Test
    void anIdleGuestsRestGoesWhileTheHandoffIsOpened() {
        assertThat(left(0, _ -> 0)).isZero();
        assertThat(left(18_000_000, _ -> 0)).isZero();
        assertThat(left(50_000_000, _ -> 0)).as("20 ms worth are gone").isEqualTo(30_000_000);
    }

    @Test
    void aGuestThatWritesSlowlyLeavesWhatItWritesInAPassOfItsOwn() {
        // passes take 2 ms and some: what is dirtied in such a time is left, and no more
        assertThat((double) left(0, writes(1000, 1e9))).isBetween(1000.0, 5000.0);
        assertThat((double) left(10_000_000, writes(1000, 1e9))).isBetween(1000.0, 13_000.0);
    }

    @Test
    void aGuestThatWritesHalfAsFastAsTheLinkNeverGetsBelowAFewPasses() {
        double left = left(5_000_000, writes(500_000, 1e9));
        assertThat(left).isBetween(1_000_000.0, 6_000_000.0);
    }

    @Test
    void aGuestThatWritesFasterThanTheLinkLeavesItsWorkingSetAtMost() {
        long left = left(64_000_000, writes(5_000_000, 64_000_000));
        assertThat(left).isBetween(60_000_000L, 64_000_000L);
    }

    @Test
    void pagesThatAreStillToGoAndWrittenAnewAreSentOnce() {
        // the whole working set is left, and written in a moment
        assertThat((double) left(100_000_000, writes(1e9, 100_000_000))).isCloseTo(100_000_000, within(1_000_000.0));
    }

    @Test
    void withoutABandwidthEverythingStaysAndMoreComes() {
        assertThat(LeftAtStop.bytes(1000, 0, writes(100, 1e9), 20 * MS, 2 * MS)).isEqualTo(3000);
    }

    @Test
    void withoutAHandoffItIsWhatIsLeftNow() {
        assertThat(LeftAtStop.bytes(1000, RATE, writes(1e6, 1e9), 0, 2 * MS)).isEqualTo(1000);
    }

    @Test
    void aGuestThatWritesMuchLessThanIsSentConvergesToWhatItWritesDuringASync() {
        // a tenth of the rate: 100, 10, 1 ms, and then what two milliseconds of syncing add
        assertThat(LeftAtStop.converged(1000 * MS, RATE, writes(100_000, 1e12), 2 * MS))
                .isBetween(200_000L, 400_000L);
        assertThat(LeftAtStop.converged(1000 * MS, RATE, _ -> 0, 2 * MS)).isZero();
    }

    @Test
    void aGuestThatWritesAsFastAsIsSentIsLeftWithItsWorkingSet() {
        assertThat(LeftAtStop.converged(1000 * MS, RATE, writes(2_000_000, 50e6), 2 * MS))
                .isEqualTo(50_000_000);
        assertThat(LeftAtStop.converged(1000 * MS, 0, writes(1000, 5e6), 2 * MS))
                .as("nothing is ever sent")
                .isEqualTo(1_002_000);
    }
}
