package io.godwit.plan.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** At 1,000 Mbit/s and 8 bits for a byte: 125 MB/s. */
class TransferModelTest {
    private static final TransferModel PLAIN = new TransferModel(8, 1);

    private static long blackout(double hotMb, double hotSeconds, double pinnedMb) {
        return PLAIN.blackoutMs(new RamProfile(1000, hotMb, hotSeconds, 0, pinnedMb), 1000);
    }

    @Test
    void aGuestThatWritesSlowlyStandsForTheFixedCosts() {
        assertThat(blackout(0, 1, 0)).isEqualTo(60);
        // 5 MB/s: each pass leaves a twenty-fifth of the one before
        assertThat(blackout(50, 10, 0)).isEqualTo(61);
    }

    @Test
    void aGuestThatWritesAsFastAsIsSentStandsForItsHotSet() {
        assertThat(blackout(50, 0.1, 0))
                .as("60 ms, and 50 MB but for what goes during the handoff")
                .isBetween(440L, 460L);
    }

    @Test
    void pinnedMemoryIsSentWhileItStands() {
        assertThat(blackout(0, 1, 25)).isEqualTo(260);
    }

    @Test
    void aSlowerLinkMeansALongerStandstill() {
        RamProfile ram = new RamProfile(1000, 50, 1, 2, 10);
        long before = Long.MAX_VALUE;
        for (long mbit = 500; mbit <= 10_000; mbit += 500) {
            long blackout = PLAIN.blackoutMs(ram, mbit);
            assertThat(blackout).as(mbit + " Mbit/s").isLessThanOrEqualTo(before);
            before = blackout;
        }
    }
}
