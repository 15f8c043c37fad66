package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest that its operator has paused, through QEMU, stands until its operator lets it run: here and elsewhere. */
final class QemuPausedTest {
    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private VmSpec spec;

    @BeforeEach
    void pause() throws IOException {
        hosts = new TwoQemuHosts(root);
        hosts.create(TwoQemuHosts.spec());
        hosts.qmp(hosts.a, "stop");
        VmStatus status = hosts.awaitVm(hosts.a, vm -> vm.runState() == RunState.PAUSED);
        spec = status.spec();
        assertThat(spec.qemu().orElseThrow().paused()).isTrue();
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    private void move(String migration) throws IOException {
        DataEndpoint to = hosts.prepare(migration, spec, 1, hosts.b);
        hosts.beginSave(migration, hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff(migration, hosts.a, hosts.b, 1);
        MigrationReport.VmRunning there = hosts.await(MigrationReport.VmRunning.class);
        assertThat(there.host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource(migration, TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(hosts.qmp(hosts.b, "query-status").path("status").asText()).isEqualTo("paused");
        assertThat(hosts.awaitVm(hosts.b, vm -> vm.epoch() == 2 && vm.runState() == RunState.PAUSED)
                        .failure())
                .isEmpty();
        assertThat(hosts.runs).containsExactly("host-a runs under 1", "host-a stops");
    }

    @Test
    void itStandsAfterAMoveAndRunsWhenItsOperatorSaysSo() throws IOException {
        move("m-1");
        hosts.qmp(hosts.b, "cont");
        VmStatus runs = hosts.awaitVm(
                hosts.b,
                vm -> vm.runState() == RunState.RUNNING
                        && vm.epoch() == 2
                        && !vm.spec().qemu().orElseThrow().paused());
        assertThat(runs.migration()).isEmpty();
    }

    @Test
    void itStandsAfterACancelledMoveAndTheNextOneSucceeds() throws IOException {
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
        boolean save = false;
        boolean incoming = false;
        while (!save || !incoming) {
            MigrationReport report = hosts.await(MigrationReport.class);
            save |= report instanceof MigrationReport.SaveFailed;
            incoming |= report instanceof MigrationReport.IncomingFailed;
        }
        assertThat(hosts.runs(hosts.a)).isFalse();
        hosts.awaitVm(hosts.a, vm -> vm.migration().isEmpty() && vm.runState() == RunState.PAUSED);
        move("m-2");
    }

    @Test
    void aLaterAgentLetsItStand() throws IOException {
        hosts.crash(hosts.a);
        hosts.a = hosts.agent("host-a", "-again");
        hosts.awaitInventory(
                hosts.a,
                said -> said.incarnation().endsWith("-again")
                        && said.vms().stream()
                                .anyMatch(vm -> vm.runState() == RunState.PAUSED
                                        && vm.migration().isEmpty()));
        assertThat(hosts.qmp(hosts.a, "query-status").path("status").asText()).isEqualTo("paused");
    }

    @Test
    void aLaterAgentLetsOneStandThatWasPausedWhileNoAgentWasHere() throws IOException {
        hosts.qmp(hosts.a, "cont");
        hosts.awaitVm(
                hosts.a,
                vm -> vm.runState() == RunState.RUNNING
                        && !vm.spec().qemu().orElseThrow().paused());
        hosts.crash(hosts.a);
        hosts.qmp(hosts.a, "stop");
        hosts.a = hosts.agent("host-a", "-again");
        hosts.awaitInventory(
                hosts.a,
                said -> said.incarnation().endsWith("-again")
                        && said.vms().stream()
                                .anyMatch(vm -> vm.spec().qemu().orElseThrow().paused()));
        assertThat(hosts.qmp(hosts.a, "query-status").path("status").asText()).isEqualTo("paused");
    }
}
