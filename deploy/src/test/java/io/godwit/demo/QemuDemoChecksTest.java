package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;

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

class QemuDemoChecksTest {
    private static final List<StateTriple> FLOW = List.of(
            new StateTriple("RUNNING", "ACTIVE", "-"),
            new StateTriple("FINISH_MIGRATE", "DEVICE", "-"),
            new StateTriple("POSTMIGRATE", "DEVICE", "-"),
            new StateTriple("POSTMIGRATE", "COMPLETED", "-"),
            new StateTriple("RESTORE_VM", "NONE", "-"),
            new StateTriple("RESTORE_VM", "COMPLETED", "-"),
            new StateTriple("RUNNING", "NONE", "-"));

    @TempDir
    Path folder;

    private final RunLog log = new RunLog();

    @BeforeEach
    void handOver() throws Exception {
        log.read("host-1", Files.writeString(folder.resolve("1"), "1 vm-1 RUN 1\n5 vm-1 STOP 1\n"));
        log.read("host-2", Files.writeString(folder.resolve("2"), "9 vm-1 RUN 2\n"));
    }

    private List<String> failed(List<StateTriple> states, boolean verified, long atSource, List<String> witnessed) {
        var row = new EvacuationView.VmRow(
                "vm-1", "host-1", Optional.of("host-2"), "MOVED", List.of("m-1"), Optional.empty());
        var migration = new MigrationView(
                "m-1",
                "vm-1",
                "host-1",
                "host-2",
                "qemu",
                MigrationPhase.COMPLETED,
                Optional.empty(),
                false,
                2,
                states,
                SaveStats.NONE,
                Downtime.NONE,
                verified,
                0,
                false,
                SaveLimits.NONE,
                List.of(),
                Optional.empty());
        var seen = new DemoChecks.Seen(
                new EvacuationView("e-1", List.of("host-1"), "COMPLETED", List.of(row), 4000),
                Map.of("vm-1", migration),
                Map.of("vm-1", new GuestCheck(true, 20, 0, "")),
                Map.of("vm-1", new GuestCheck(true, 30, 0, "")),
                Map.of("vm-1", new OwnershipView("vm-1", Optional.of("host-2"), 2, Optional.empty(), Optional.empty())),
                Map.of("vm-1", List.of("host-2")),
                log,
                List.of());
        var sources = new QemuDemoChecks.Sources(
                Map.of("vm-1", new GuestCheck(true, atSource, 0, "")), Map.of("vm-1", witnessed));
        return new QemuDemoChecks(new DemoChecks("host-1", List.of("vm-1")))
                .judge(seen, sources).stream()
                        .filter(check -> !check.ok())
                        .map(Check::name)
                        .toList();
    }

    @Test
    void acceptsACleanEvacuation() {
        assertThat(failed(FLOW, false, 10, List.of("host-2"))).isEmpty();
    }

    @Test
    void failsOnDigestsThatNobodyCompared() {
        assertThat(failed(FLOW, true, 10, List.of("host-2")))
                .containsExactly("nothing claims that digests were compared");
    }

    @Test
    void failsOnAGuestThatFellBackBehindWhereItWas() {
        assertThat(failed(FLOW, false, 21, List.of("host-2"))).containsExactly("guests wrote on from where they were");
    }

    @Test
    void failsOnASecondQemuThatRunsAndOnNone() {
        for (List<String> hosts : List.of(List.of("host-1", "host-2"), List.<String>of(), List.of("host-1"))) {
            assertThat(failed(FLOW, false, 10, hosts))
                    .containsExactly("exactly one QEMU says that it runs, where the ledger says");
        }
    }

    @Test
    void failsOnAStateThatWasNeverReached() {
        List<StateTriple> without = new ArrayList<>(FLOW);
        without.remove(new StateTriple("RESTORE_VM", "COMPLETED", "-"));
        assertThat(failed(without, false, 10, List.of("host-2")))
                .containsExactly("VM and migration went through their states");
    }
}
