package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.proto.host.DataEndpoint;
import org.junit.jupiter.api.Test;

class LearntDowntimeTest {
    private static final DataEndpoint HOST_B = new DataEndpoint("host-b", 1);
    private static final DataEndpoint HOST_C = new DataEndpoint("host-c", 1);
    private final MigrationSettings settings = MigrationSettings.from(ConfigFactory.load());
    private final long start = settings.fixedDowntime().toNanos() / 1000;
    private final LearntDowntime learnt = new LearntDowntime(settings);

    @Test
    void beginsWithTheConfiguredEstimateForEveryDestination() {
        assertThat(learnt.fixedMicros(HOST_B, true)).isEqualTo(start);
    }

    @Test
    void movesHalfWayByTheErrorOfTheLastPromiseAndForThatDestinationAndKindOnly() {
        learnt.learn(HOST_B, true, 60_000, 100_000);
        assertThat(learnt.fixedMicros(HOST_B, true)).isEqualTo(start + 20_000);
        assertThat(learnt.fixedMicros(HOST_C, true)).isEqualTo(start);
        assertThat(learnt.fixedMicros(HOST_B, false)).isEqualTo(start);
    }

    @Test
    void comesCloseToASteadyTruthWithinAFewMigrations() {
        long truth = start + 80_000;
        for (int i = 0; i < 6; i++) {
            learnt.learn(HOST_B, true, learnt.fixedMicros(HOST_B, true), truth);
        }
        assertThat(learnt.fixedMicros(HOST_B, true)).isBetween(truth - 2_000, truth);
    }

    @Test
    void neverPromisesLessThanNothing() {
        learnt.learn(HOST_B, true, 10_000_000, 1);
        assertThat(learnt.fixedMicros(HOST_B, true)).isZero();
    }
}
