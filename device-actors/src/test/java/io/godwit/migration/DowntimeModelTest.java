package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DowntimeModelTest {
    private static final long MIB = 1 << 20;
    private static final DowntimeModel MODEL = new DowntimeModel(Measures.costs(1000, 0), 0);

    @Test
    void predictsEveryByteAtTheBandwidthPlusWhatIsFixed() {
        Prediction predicted = MODEL.predict(Measures.at(2_000_000)
                .left(1_000_000)
                .pinned(2_000_000)
                .device(0, 3_000_000)
                .get());
        assertThat(predicted)
                .isEqualTo(
                        new Prediction(1_000_000, 2_000_000, 3_000_000, 2_000_000, 1_500_000, 1_500_000, 0, 1000, 0));
        assertThat(predicted.totalMicros()).isEqualTo(3_001_000);
    }

    @Test
    void theFloorLeavesOutRamThatCanStillBeSentAndKeepsPinnedPages() {
        Measured now = Measures.at(1_000_000)
                .left(5_000_000)
                .pinned(2_000_000)
                .device(500_000, 1_500_000)
                .get();
        assertThat(MODEL.floor(now).totalMicros()).isEqualTo(3_000_000 + 1000);
        Measured less = Measures.at(1_000_000).device(50, 40).get();
        assertThat(MODEL.floor(less).totalMicros())
                .as("a device that says less for the stop than for pre-copy owes nothing")
                .isEqualTo(1000);
    }

    @Test
    void withNothingLeftOnlyWhatIsFixedRemainsWhateverTheBandwidth() {
        assertThat(MODEL.predict(Measures.at(0).get()).totalMicros()).isEqualTo(1000);
        assertThat(MODEL.predict(Measures.at(0).get()).known()).isTrue();
    }

    @Test
    void withoutABandwidthABytesTimeIsOutOfReachAndDoesNotOverflow() {
        Prediction never = MODEL.predict(Measures.at(0).left(1).device(0, 1).get());
        assertThat(never.known()).isFalse();
        assertThat(never.totalMicros()).isPositive();
    }

    @Test
    void pinnedPagesThatAreZeroCostNothing() {
        Measured now = Measures.at(1_000_000).pinned(8_000_000).get();
        Measured zero = new Measured(0, 8_000_000, 0.75, 0, 0, 1_000_000, true, 0, now.cpu(), now.dma(), 0, 1, 0, true);
        assertThat(MODEL.predict(zero).ramMicros()).isEqualTo(2_000_000);
        assertThat(MODEL.floor(zero).ramMicros()).isEqualTo(2_000_000);
    }

    @Test
    void whatGoesWhileTheHandoffIsOpenedIsNotStandstillButWhatIsWrittenMeanwhileIs() {
        DowntimeModel model = new DowntimeModel(Measures.costs(0, 100_000), 0);
        assertThat(model.predict(Measures.at(10_000_000).left(1_500_000).get()).leftBytes())
                .as("100 ms at 10 MB/s")
                .isEqualTo(500_000);
        assertThat(model.predict(Measures.at(10_000_000)
                                .left(1_500_000)
                                .limited(5_000_000)
                                .get())
                        .leftBytes())
                .as("at the limit of 5 MB/s; the rest then goes without it")
                .isEqualTo(1_000_000);
        Prediction writes = model.predict(
                Measures.at(10_000_000).left(1_500_000).dirtying(1_024_000).get());
        assertThat(writes.leftBytes()).isBetween(550_000L, 620_000L);
        assertThat(writes.ramMicros()).isCloseTo(writes.leftBytes() / 10, within(1L));
    }

    @Test
    void aVmThatStandsStillIsSentAsFastAsItWasBeforeAndDevicesAtTheirOwnRate() {
        Switchover past = new Switchover(1000, 0, 1_000_000, 4 << 20, (4 << 20) / 2, 0, 0, 0, 0, 0);
        RouteCosts costs = new RouteCosts(1000, 0, 1_000_000, 0.001, 0, 0, List.of(past));
        Prediction predicted = new DowntimeModel(costs, 0)
                .predict(Measures.at(1_000_000)
                        .pinned(6_000_000)
                        .device(0, 1_000_000)
                        .get());
        assertThat(predicted.bandwidth()).isEqualTo(2_000_000);
        assertThat(predicted.ramMicros()).isEqualTo(3_000_000);
        assertThat(predicted.deviceMicros()).isEqualTo(1000);
    }

    @Test
    void theSourcesDigestCountsOnlyWhereItOutlastsTheSendingTheDestinationsAlways() {
        RouteCosts costs = new RouteCosts(1000, 0, 0, 0, 0.0005, 0.001, List.of());
        DowntimeModel model = new DowntimeModel(costs, 100_000_000);
        assertThat(model.predict(Measures.at(1_000_000_000).get()).digestMicros())
                .isEqualTo(50_000 + 100_000);
        assertThat(model.predict(Measures.at(1_000_000_000).pinned(30_000_000).get())
                        .digestMicros())
                .isEqualTo(20_000 + 100_000);
        assertThat(model.predict(Measures.at(1_000_000_000).pinned(80_000_000).get())
                        .digestMicros())
                .isEqualTo(100_000);
    }

    /** The promise over dirty rates and pinned sizes, against a standstill worked out from first principles. */
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "20, 0",
        "400, 0",
        "0, 64",
        "20, 64",
        "400, 64",
        "0, 256",
        "20, 256",
        "400, 256",
    })
    void keepsItsPromiseOverDirtyRatesAndPinnedSizes(long dirtyMibPerSecond, long pinnedMib) {
        long precopy = 2000 * MIB;
        long stopped = 3000 * MIB;
        Switchover past =
                new Switchover(15_000, 20_000, precopy, 256 * MIB, 256 * MIB * 1_000_000 / stopped, 0, 0, 0, 0, 0);
        DowntimeModel model = new DowntimeModel(new RouteCosts(15_000, 20_000, precopy, 0, 0, 0, List.of(past)), 0);
        // at a round's end what was dirtied in it is left: passes shrink until syncs make up most of them
        long left = dirtyMibPerSecond * MIB / 200;
        Prediction predicted = model.predict(Measures.at(precopy)
                .left(left)
                .pinned(pinnedMib * MIB)
                .dirtying(dirtyMibPerSecond * MIB)
                .get());
        long truth = 15_000
                + (long) (1e6 * pinnedMib / 3000)
                // in a steady state a pass of 2.5 ms and the time since its sync: 5 ms of writing at most
                + (long) (dirtyMibPerSecond * 0.005 / 3000 * 1e6);
        long allowed = Math.max(10_000, truth * 15 / 100);
        assertThat(predicted.totalMicros()).isCloseTo(truth, within(allowed));
    }
}
