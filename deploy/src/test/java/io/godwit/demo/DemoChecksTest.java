package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoChecksTest {
    private static final List<StateTriple> FLOW = List.of(
            new StateTriple("RUNNING", "NONE", "_RUNNING"),
            new StateTriple("RUNNING", "SETUP", "_RUNNING|_SAVING"),
            new StateTriple("RUNNING", "ACTIVE", "_RUNNING|_SAVING"),
            new StateTriple("FINISH_MIGRATE", "DEVICE", "_SAVING"),
            new StateTriple("FINISH_MIGRATE", "DEVICE", "_STOPPED"),
            new StateTriple("FINISH_MIGRATE", "COMPLETED", "_STOPPED"),
            new StateTriple("RESTORE_VM", "ACTIVE", "_STOPPED"),
            new StateTriple("RESTORE_VM", "ACTIVE", "_RESUMING"),
            new StateTriple("RUNNING", "NONE", "_RUNNING"));

    @TempDir
    Path folder;

    private RunLog log = new RunLog();

    @BeforeEach
    void handOver() throws Exception {
        log.read("host-1", Files.writeString(folder.resolve("1"), "1 vm-1 RUN 1\n5 vm-1 STOP 1\n"));
        log.read("host-2", Files.writeString(folder.resolve("2"), "9 vm-1 RUN 2\n"));
    }

    @Test
    void acceptsACleanEvacuation() {
        assertThat(failed(seen(migration(FLOW, true, 50), "host-2", 2, List.of("host-2"), 20)))
                .isEmpty();
    }

    @Test
    void acceptsADeviceWithoutPreCopyBesideOneThatHasIt() {
        List<StateTriple> two = new ArrayList<>(FLOW);
        two.set(1, new StateTriple("RUNNING", "SETUP", "_RUNNING|_SAVING,_RUNNING"));
        two.set(2, new StateTriple("RUNNING", "ACTIVE", "_RUNNING|_SAVING,_RUNNING"));
        assertThat(failed(seen(migration(two, true, 50), "host-2", 2, List.of("host-2"), 20)))
                .isEmpty();
        two.set(3, new StateTriple("FINISH_MIGRATE", "DEVICE", "_SAVING,_STOPPED"));
        assertThat(failed(seen(migration(two, true, 50), "host-2", 2, List.of("host-2"), 20)))
                .containsExactly("VM, migration and devices went through their states");
    }

    @Test
    void failsOnUnequalDigestsAndOnGuestsThatWroteNothing() {
        assertThat(failed(seen(migration(FLOW, false, 0), "host-2", 2, List.of("host-2"), 20)))
                .containsExactly("digests of both sides are equal", "guests wrote memory while they migrated");
    }

    @Test
    void failsOnAStateThatWasNeverReached() {
        List<StateTriple> short1 = new ArrayList<>(FLOW);
        short1.remove(3);
        assertThat(failed(seen(migration(short1, true, 50), "host-2", 2, List.of("host-2"), 20)))
                .containsExactly("VM, migration and devices went through their states");
    }

    @Test
    void failsOnASecondInstanceAndOnAWrongLedger() {
        assertThat(failed(seen(migration(FLOW, true, 50), "host-2", 2, List.of("host-2", "host-3"), 20)))
                .containsExactly("exactly one instance runs, where the ledger says");
        assertThat(failed(seen(migration(FLOW, true, 50), "host-2", 3, List.of("host-2"), 20)))
                .containsExactly("the ledger is at epoch 2, elsewhere", "run logs agree with the ledger");
    }

    @Test
    void failsOnAGuestThatStandsStill() {
        assertThat(failed(seen(migration(FLOW, true, 50), "host-2", 2, List.of("host-2"), 10)))
                .containsExactly("guests run on at their destinations");
    }

    @Test
    void failsEverythingAboutAVmOfWhichNothingIsKnown() {
        DemoChecks.Seen nothing = new DemoChecks.Seen(
                new EvacuationView("e", List.of("host-1"), "FAILED", List.of(), 1),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                new RunLog(),
                List.of("host-2"));
        assertThat(failed(nothing)).hasSize(11);
    }

    @Test
    void writesTheDocumentThatScriptsRead() {
        DemoChecks.Seen seen = seen(migration(FLOW, true, 50), "host-2", 2, List.of("host-2"), 20);
        DemoOutcome outcome = new DemoOutcome(
                seen.evacuation(), seen.migrations(), seen.second(), seen.owners(), seen.running(), List.of(), 1000);
        JsonNode document = DemoReport.document(outcome);
        assertThat(document.path("evacuation").path("moved").asInt()).isEqualTo(1);
        assertThat(document.path("evacuation").path("failed").asInt()).isZero();
        JsonNode migration = document.path("migrations").get(0);
        assertThat(migration.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(migration.path("downtimeMs").asDouble()).isEqualTo(2.8);
        assertThat(migration.path("states").get(1).get(2).asText()).isEqualTo("_RUNNING|_SAVING");
        assertThat(document.path("owners").path("vm-1").path("epoch").asLong()).isEqualTo(2);
        assertThat(document.path("owners").path("vm-1").path("runningInstances").asInt())
                .isEqualTo(1);
        assertThat(DemoReport.text(outcome)).contains("vm-1").contains("2.8 ms").contains("1 of 1 VMs left host-1");
    }

    private List<String> failed(DemoChecks.Seen seen) {
        return new DemoChecks("host-1", List.of("vm-1"))
                .judge(seen).stream()
                        .filter(check -> !check.ok())
                        .map(Check::name)
                        .toList();
    }

    private DemoChecks.Seen seen(
            MigrationView migration, String owner, long epoch, List<String> running, long writesAfter) {
        EvacuationView.VmRow row = new EvacuationView.VmRow(
                "vm-1", "host-1", Optional.of("host-2"), "MOVED", List.of("m-1"), Optional.empty());
        return new DemoChecks.Seen(
                new EvacuationView("e-1", List.of("host-1"), "COMPLETED", List.of(row), 4000),
                Map.of("vm-1", migration),
                Map.of("vm-1", new GuestCheck(true, 10, 10, "")),
                Map.of("vm-1", new GuestCheck(true, writesAfter, 20, "")),
                Map.of(
                        "vm-1",
                        new OwnershipView("vm-1", Optional.of(owner), epoch, Optional.empty(), Optional.empty())),
                Map.of("vm-1", running),
                log,
                List.of());
    }

    private static MigrationView migration(List<StateTriple> states, boolean verified, long dirtied) {
        return new MigrationView(
                "m-1",
                "vm-1",
                "host-1",
                "host-2",
                "soft",
                MigrationPhase.COMPLETED,
                Optional.empty(),
                false,
                2,
                states,
                new SaveStats(64L << 20, 70L << 20, 66L << 20, 1L << 20, dirtied, 3, 900, 1L << 30, 3000),
                new Downtime(100, 200, 300, 400, 500, 600, 700),
                verified,
                0,
                false,
                SaveLimits.NONE,
                List.of(),
                Optional.empty());
    }
}
