package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgressDisplayTest {
    @Test
    void drawsBarsOfOneWidthWhateverTheNameAndTheMessage() {
        assertThat(ProgressDisplay.rendered("vm-1", 6, 50, "PRE_COPY -> host-2", 100)
                        .stripTrailing())
                .isEqualTo("vm-1    [===============>              ]  50%  PRE_COPY -> host-2");
        assertThat(ProgressDisplay.rendered("vm-100", 6, 0, "WAITING", 100).stripTrailing())
                .isEqualTo("vm-100  [                              ]   0%  WAITING");
        assertThat(ProgressDisplay.rendered("vm-1", 4, 100, "MOVED -> host-2", 100)
                        .stripTrailing())
                .isEqualTo("vm-1  [==============================] 100%  MOVED -> host-2");
        assertThat(IntStream.rangeClosed(0, 100)
                        .map(percent -> ProgressDisplay.rendered("vm-1", 4, percent, "", 100)
                                .indexOf(']')))
                .containsOnly(37);
    }

    @Test
    void countsOnlyWhatTheDestinationHasAndKeepsTheLastPartForTheSwitchover() {
        assertThat(ProgressDisplay.percent(view(MigrationPhase.PREPARING, 0, 0)))
                .isZero();
        assertThat(ProgressDisplay.percent(view(MigrationPhase.PRE_COPY, 0, 0))).isZero();
        assertThat(ProgressDisplay.percent(view(MigrationPhase.PRE_COPY, 100, 110)))
                .isZero();
        assertThat(ProgressDisplay.percent(view(MigrationPhase.PRE_COPY, 100, 50)))
                .isEqualTo(47);
        assertThat(ProgressDisplay.percent(view(MigrationPhase.SWITCHOVER, 100, 0)))
                .isEqualTo(95);
        assertThat(ProgressDisplay.percent(view(MigrationPhase.ROLLING_BACK, 100, 0)))
                .isZero();
        assertThat(ProgressDisplay.percent(view(MigrationPhase.COMPLETED, 100, 0)))
                .isEqualTo(100);
    }

    private static MigrationView view(MigrationPhase phase, long sentBytes, long leftBytes) {
        return new MigrationView(
                "m-1",
                "vm-1",
                "host-1",
                "host-2",
                "soft",
                phase,
                Optional.empty(),
                false,
                1,
                List.of(),
                new SaveStats(sentBytes == 0 ? 0 : 100, sentBytes, sentBytes, 0, 0, 1, 0, 0, 0),
                Downtime.NONE,
                false,
                leftBytes,
                false,
                SaveLimits.NONE,
                List.of(),
                Optional.empty());
    }

    @Test
    void coversALongerLineThatWasThereBefore() {
        assertThat(ProgressDisplay.rendered("vm-1", 4, 7, "MOVED", 79))
                .hasSize(79)
                .endsWith("MOVED" + " ".repeat(29));
    }

    @Test
    void leavesOffTheEndOfAMessageThatDoesNotFitTheTerminal() {
        String message = "WAITING -> host-2: " + "x".repeat(200);
        assertThat(ProgressDisplay.rendered("vm-1", 4, 7, message, 79))
                .hasSize(79)
                .contains("WAITING -> host-2");
    }
}
