package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;

class DowntimeModelTest {
    private final DowntimeModel model = new DowntimeModel(1000, 50);

    @Test
    void predictsEveryByteAtTheBandwidthPlusWhatIsFixed() {
        assertThat(model.predictMicros(1_000_000, 2_000_000, 3_000_000, 2_000_000))
                .isEqualTo(3_000_000 + 1050);
    }

    @Test
    void theFloorLeavesOutRamThatCanStillBeSentAndKeepsPinnedPages() {
        assertThat(model.floorMicros(2_000_000, 1_000_000, 1_000_000)).isEqualTo(3_000_000 + 1050);
    }

    @Test
    void withNothingLeftOnlyWhatIsFixedRemainsWhateverTheBandwidth() {
        assertThat(model.predictMicros(0, 0, 0, 0)).isEqualTo(1050);
    }

    @Test
    void withoutABandwidthABytesTimeIsOutOfReachAndDoesNotOverflow() {
        assertThat(model.predictMicros(1, 0, 0, 0)).isGreaterThan(Long.MAX_VALUE / 8);
    }

    @Test
    void digestsCountOnlyWhenAskedFor() {
        MigrationSettings settings = MigrationSettings.from(ConfigFactory.load());
        long gib = 1L << 30;
        assertThat(DowntimeModel.of(settings, 25_000, gib, false).digestMicros())
                .isZero();
        assertThat(DowntimeModel.of(settings, 25_000, gib, true).digestMicros())
                .isEqualTo(gib * 1_000_000 / settings.digestBytesPerSecond());
        assertThat(DowntimeModel.of(settings, 25_000, gib, true).fixedMicros()).isEqualTo(25_000);
    }
}
