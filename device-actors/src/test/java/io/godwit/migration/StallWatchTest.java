package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class StallWatchTest {
    private static final long S = 1_000_000_000;
    private final StallWatch watch = new StallWatch(Duration.ofSeconds(15));

    @Test
    void tellsOnlyAfterTheTimeoutWithoutAnyMovement() {
        assertThat(watch.look(100 * S, true, 7)).isZero();
        assertThat(watch.look(115 * S - 1, true, 7)).isZero();
        assertThat(watch.look(115 * S, true, 7)).isEqualTo(15 * S);
        assertThat(watch.look(120 * S, true, 7)).isEqualTo(20 * S);
    }

    @Test
    void anyMovementBeginsAnew() {
        assertThat(watch.look(0, true, 7)).isZero();
        assertThat(watch.look(14 * S, true, 8)).isZero();
        assertThat(watch.look(28 * S, true, 8)).isZero();
        assertThat(watch.look(29 * S, true, 8)).isEqualTo(15 * S);
    }

    @Test
    void timeInWhichNothingWasPendingDoesNotCount() {
        assertThat(watch.look(0, true, 7)).isZero();
        assertThat(watch.look(14 * S, false, 7)).isZero();
        assertThat(watch.look(100 * S, true, 7)).isZero();
        assertThat(watch.look(114 * S, true, 7)).isZero();
        assertThat(watch.look(115 * S, true, 7)).isEqualTo(15 * S);
    }
}
