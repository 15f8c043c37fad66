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

    private static Switchover fixed(long micros) {
        return new Switchover(micros, 0, 0, 0, 0, 0, 0, 1 << 20, 0, 0);
    }

    @Test
    void beginsWithTheConfiguredEstimateForEveryDestination() {
        assertThat(learnt.costs(HOST_B, true).fixedMicros()).isEqualTo(start);
    }

    @Test
    void learnsForThatDestinationAndKindOnly() {
        learnt.learn(HOST_B, true, fixed(12_345));
        assertThat(learnt.costs(HOST_B, true).fixedMicros()).isEqualTo(12_345);
        assertThat(learnt.costs(HOST_C, true).fixedMicros()).isEqualTo(start);
        assertThat(learnt.costs(HOST_B, false).fixedMicros()).isEqualTo(start);
    }

    @Test
    void aSwitchoverInWhichSomethingBrokeTeachesNothing() {
        // an agent that stood still for half a minute
        learnt.learn(HOST_B, true, fixed(43_336_000));
        // a coordinator that died before it could grant the handoff
        learnt.learn(HOST_B, true, new Switchover(10_000, 7_000_000, 0, 0, 0, 0, 0, 1 << 20, 0, 0));
        // a source that stood still while it sent
        learnt.learn(HOST_B, true, new Switchover(10_000, 0, 1L << 30, 64 << 20, 30_000_000, 0, 0, 1 << 20, 0, 0));
        RouteCosts costs = learnt.costs(HOST_B, true);
        assertThat(costs.fixedMicros()).isEqualTo(start);
        assertThat(costs.handoffMicros()).isEqualTo(settings.handoffDelay().toNanos() / 1000);
        assertThat(costs.copies()).isEmpty();
    }

    @Test
    void aLongStandstillThatItsBytesExplainIsLearntFrom() {
        // 32 GiB at 1 GiB/s, as fast as while the VM ran
        learnt.learn(HOST_B, true, new Switchover(10_000, 0, 1L << 30, 32L << 30, 32_000_000, 0, 0, 1 << 20, 0, 0));
        assertThat(learnt.costs(HOST_B, true).copies()).hasSize(1);
        assertThat(learnt.costs(HOST_B, true).fixedMicros()).isEqualTo(10_000);
    }

    @Test
    void forgetsAllButTheLastEight() {
        for (int i = 0; i < 8; i++) {
            learnt.learn(HOST_B, true, fixed(900_000));
        }
        for (int i = 0; i < 5; i++) {
            learnt.learn(HOST_B, true, fixed(10_000));
        }
        assertThat(learnt.costs(HOST_B, true).fixedMicros()).as("five of eight").isEqualTo(10_000);
    }

    @Test
    void whatOneVmWithPinnedMemoryHasTaughtOutlivesManyThatHaveNone() {
        learnt.learn(HOST_B, false, new Switchover(10_000, 0, 0, 64 << 20, 32_000, 0, 0, 1 << 20, 0, 0));
        learnt.learn(HOST_B, false, new Switchover(10_000, 0, 0, 0, 0, 8 << 20, 8_000, 1 << 20, 0, 0));
        for (int i = 0; i < 20; i++) {
            learnt.learn(HOST_B, false, fixed(20_000));
        }
        RouteCosts costs = learnt.costs(HOST_B, false);
        assertThat(costs.fixedMicros()).isEqualTo(20_000);
        assertThat(costs.stoppedBandwidth(0)).isEqualTo(2000L << 20);
        assertThat(costs.deviceMicrosPerByte()).isEqualTo(1000.0 / (1 << 20));
        for (int i = 0; i < 8; i++) {
            learnt.learn(HOST_B, false, new Switchover(20_000, 0, 0, 64 << 20, 64_000, 0, 0, 1 << 20, 0, 0));
        }
        assertThat(learnt.costs(HOST_B, false).copies()).hasSize(8);
        assertThat(learnt.costs(HOST_B, false).stoppedBandwidth(0)).isEqualTo(1000L << 20);
    }
}
