package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.typesafe.config.ConfigFactory;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteCostsTest {
    private static final long MIB = 1 << 20;
    private static final MigrationSettings SETTINGS = MigrationSettings.from(ConfigFactory.load());

    private static Switchover fixed(long micros) {
        return new Switchover(micros, 10_000, 0, 0, 0, 0, 0, 64 * MIB, 0, 0);
    }

    /** So many bytes of RAM in so many microseconds, after so much a second while the VM ran. */
    private static Switchover ram(long precopy, long bytes, long micros) {
        return new Switchover(20_000, 10_000, precopy, bytes, micros, 0, 0, 64 * MIB, 0, 0);
    }

    private static RouteCosts of(Switchover... here) {
        return RouteCosts.of(SETTINGS, List.of(here), List.of(here));
    }

    @Test
    void aNewDestinationCostsWhatTheConfigurationSays() {
        RouteCosts costs = of();
        assertThat(costs.fixedMicros()).isEqualTo(SETTINGS.fixedDowntime().toNanos() / 1000);
        assertThat(costs.handoffMicros()).isEqualTo(SETTINGS.handoffDelay().toNanos() / 1000);
        assertThat(costs.precopyBandwidth()).isZero();
        assertThat(costs.deviceMicrosPerByte()).isZero();
        assertThat(costs.sourceDigestMicrosPerByte()).isEqualTo(1e6 / SETTINGS.digestBytesPerSecond());
        assertThat(costs.stoppedBandwidth(77)).as("as fast as while it ran").isEqualTo(77);
        assertThat(costs.stoppedBandwidth(0)).isZero();
    }

    @Test
    void theFixedPartIsAMedianThatABusyMomentDoesNotMove() {
        Switchover[] calm = LongStream.of(15_000, 16_000, 14_000, 15_500, 14_500)
                .mapToObj(RouteCostsTest::fixed)
                .toArray(Switchover[]::new);
        assertThat(of(calm).fixedMicros()).isEqualTo(15_000);
        Switchover[] busy =
                Stream.concat(Stream.of(calm), Stream.of(fixed(400_000))).toArray(Switchover[]::new);
        assertThat(of(busy).fixedMicros()).isEqualTo(15_500);
    }

    @Test
    void twoAreJudgedByTheLonger() {
        assertThat(of(fixed(10_000), fixed(30_000)).fixedMicros()).isEqualTo(30_000);
    }

    @Test
    void whatIsTooLittleToTellARateBelongsToTheFixedPart() {
        Switchover little = new Switchover(20_000, 0, 0, 4096, 300, 100, 200, MIB, 0, 0);
        assertThat(of(little).fixedMicros()).isEqualTo(20_500);
        assertThat(of(little).copies()).isEmpty();
        assertThat(of(little).deviceMicrosPerByte()).isZero();
    }

    @Test
    void howFastAVmIsSentThatStandsStillIsLearntWeightedByBytes() {
        RouteCosts costs = of(
                ram(1000 * MIB, 256 * MIB, 100_000), // 2,560 MiB/s
                ram(1000 * MIB, 2 * MIB, 200), // 10,000: a millisecond's luck
                ram(1000 * MIB, 2 * MIB, 4000)); // 500
        assertThat(costs.stoppedBandwidth(1000 * MIB)).isEqualTo(2560 * MIB);
        assertThat(costs.stoppedBandwidth(0)).as("not measured this time").isEqualTo(2560 * MIB);
        assertThat(costs.precopyBandwidth()).isEqualTo(1000 * MIB);
    }

    @ParameterizedTest
    @CsvSource({"1000, 2560", "700, 2560", "1400, 2560", "100, 384", "3000, 5120"})
    void aGuestThatCompetesForTheCoresChangesNothingButASlowerLinkDoes(long precopyMib, double expectedMib) {
        RouteCosts costs = of(ram(1000 * MIB, 256 * MIB, 100_000));
        assertThat(costs.stoppedBandwidth(precopyMib * MIB) / (double) MIB).isCloseTo(expectedMib, within(1.0));
    }

    @Test
    void digestsAndDevicesAreLearntFromOtherDestinationsAsLongAsThisOneHasNotTold() {
        Switchover there = new Switchover(90_000, 0, 5 * MIB, 0, 0, 10 * MIB, 20_000, 100 * MIB, 10_000, 30_000);
        RouteCosts costs = RouteCosts.of(SETTINGS, List.of(), List.of(there));
        assertThat(costs.deviceMicrosPerByte()).isEqualTo(20_000.0 / (10 * MIB));
        assertThat(costs.sourceDigestMicrosPerByte()).isEqualTo(100.0 / MIB);
        assertThat(costs.destinationDigestMicrosPerByte()).isEqualTo(300.0 / MIB);
        assertThat(costs.fixedMicros()).as("another ledger's way").isEqualTo(of().fixedMicros());
        assertThat(costs.precopyBandwidth()).as("another link").isZero();
        Switchover here = new Switchover(90_000, 0, 5 * MIB, 0, 0, 10 * MIB, 10_000, 100 * MIB, 20_000, 20_000);
        RouteCosts known = RouteCosts.of(SETTINGS, List.of(here), List.of(there, here, there));
        assertThat(known.deviceMicrosPerByte()).isEqualTo(10_000.0 / (10 * MIB));
        assertThat(known.sourceDigestMicrosPerByte()).isEqualTo(200.0 / MIB);
    }
}
