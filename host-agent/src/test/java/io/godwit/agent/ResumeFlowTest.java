package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.DeviceFlow.Stretch;
import io.godwit.proto.migration.MigrationReport;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The resume path from beginning to end, as vfio-migration section 6 gives it. */
class ResumeFlowTest {
    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void aVmThatArrivesGoesThroughTheStatesOfTheResumePathAndNoOthers(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.untilLoaded();
            move.awaitFlows(hosts.b, Stretch.LOAD);
            move.runAtDestination();
            assertThat(Move.lines(move.await(MigrationReport.VmRunning.class).states()))
                    .isEqualTo(set.triples(
                            "RESTORE_VM ACTIVE stopped", "RESTORE_VM ACTIVE resuming", "RUNNING NONE running"));
            move.awaitFlows(hosts.b, Stretch.LOAD, Stretch.RESUME);
            move.release();
            move.awaitWritesOn(hosts.b, 2);
        }
    }
}
