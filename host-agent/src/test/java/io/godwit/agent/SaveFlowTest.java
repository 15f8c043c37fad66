package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.DeviceFlow.Stretch;
import io.godwit.proto.migration.MigrationReport;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The save path from beginning to end, as vfio-migration section 5 gives it. */
class SaveFlowTest {
    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void aVmThatLeavesGoesThroughTheStatesOfTheSavePathAndNoOthers(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.untilLoaded();
            move.awaitFlows(
                    hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.STOP, Stretch.COPY, Stretch.REST);
            move.runAtDestination();
            move.await(MigrationReport.VmRunning.class);
            assertThat(Move.lines(move.release().states()))
                    .isEqualTo(set.triples(
                            "RUNNING NONE running",
                            "RUNNING SETUP preCopy",
                            "RUNNING ACTIVE preCopy",
                            "FINISH_MIGRATE DEVICE saving",
                            "FINISH_MIGRATE DEVICE stopped",
                            "FINISH_MIGRATE COMPLETED stopped"));
            move.awaitWritesOn(hosts.b, 2);
        }
    }
}
