package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** QEMU outlives its agent; a later agent takes it over, wherever the earlier one died. */
final class QemuAdoptionTest {
    @TempDir
    Path root;

    private TwoQemuHosts hosts;

    @BeforeEach
    void start() {
        hosts = new TwoQemuHosts(root);
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    private void restartA() {
        hosts.crash(hosts.a);
        hosts.a = hosts.agent("host-a", "-again");
    }

    private VmStatus awaitRunning(TwoQemuHosts.Agent agent, long epoch) {
        HostInventory inventory = hosts.awaitInventory(
                agent,
                said -> said.incarnation().endsWith("-again")
                        && said.vms().stream()
                                .anyMatch(vm -> vm.runState() == RunState.RUNNING && vm.epoch() == epoch));
        return inventory.vms().getFirst();
    }

    @Test
    void aRunningGuestIsAdoptedWithItsEpochAndMovesAfterwards() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        ProcessHandle process = hosts.process(hosts.a);
        restartA();
        assertThat(awaitRunning(hosts.a, 1).spec()).isEqualTo(spec);
        assertThat(process.isAlive()).isTrue();
        assertThat(hosts.runs(hosts.a)).isTrue();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        // not its child: its end is seen all the same
        assertThat(process.isAlive()).isFalse();
    }

    @Test
    void theFirstInventoryOfALaterAgentNamesWhatItHasFound() {
        hosts.create(TwoQemuHosts.spec());
        restartA();
        HostInventory first =
                hosts.awaitInventory(hosts.a, said -> said.incarnation().endsWith("-again"));
        assertThat(first.sequence()).isEqualTo(1);
        assertThat(first.vms()).extracting(vm -> vm.spec().name()).containsExactly(TwoQemuHosts.VM);
        assertThat(first.drivers()).contains("qemu");
    }

    @Test
    void aGuestThatDiedMeanwhileIsReportedAsFailed() throws Exception {
        hosts.create(TwoQemuHosts.spec());
        hosts.crash(hosts.a);
        ProcessHandle process = hosts.process(hosts.a);
        process.destroyForcibly();
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !process.isAlive());
        hosts.a = hosts.agent("host-a", "-again");
        VmStatus failed = hosts.awaitVm(hosts.a, vm -> vm.runState() == RunState.INTERNAL_ERROR);
        assertThat(failed.failure().orElseThrow()).contains("while no agent was here");
    }

    @Test
    void theSourcesAgentDiesWhileCopyingAndTheLaterOneLetsTheGuestStay() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        restartA();
        MigrationReport.SaveFailed failed = null;
        while (failed == null) {
            if (hosts.await(MigrationReport.class) instanceof MigrationReport.SaveFailed said) {
                failed = said;
            }
        }
        assertThat(failed.reason()).contains("started anew");
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(hosts.qmp(hosts.a, "query-migrate").path("status").asText()).isEqualTo("cancelled");
    }

    /** Up to an open handoff, of which the source has not heard: QEMU stands by its agent's word and waits to go on. */
    private void openHandoff() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.stopAndCopy("m-1", hosts.a, 1);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.ask(replyTo ->
                new OwnershipCommand.BeginHandoff(TwoQemuHosts.VM, "m-1", "host-a", "host-b", 1, 10_000, replyTo));
    }

    @Test
    void theSourcesAgentDiesInAnOpenHandoffAndTheLaterOneGoesOnUnderIt() throws Exception {
        openHandoff();
        ProcessHandle source = hosts.process(hosts.a);
        restartA();
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(source.isAlive()).isFalse();
        assertThat(hosts.runs(hosts.b)).isTrue();
    }

    @Test
    void theSourcesAgentDiesInAHandoffThatIsAbortedAndTheLaterOneLetsTheGuestRun() throws Exception {
        openHandoff();
        hosts.crash(hosts.a);
        assertThat(hosts.runs(hosts.a)).isFalse();
        hosts.ask(replyTo ->
                new OwnershipCommand.AbortHandoff(TwoQemuHosts.VM, "m-1", 1, "the source is silent", replyTo));
        hosts.a = hosts.agent("host-a", "-again");
        awaitRunning(hosts.a, 2);
        assertThat(hosts.runs(hosts.a)).isTrue();
    }

    @Test
    void theSourcesAgentDiesAfterTheCommitAndTheLaterOneLetsTheSourceGo() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        hosts.await(MigrationReport.VmRunning.class);
        ProcessHandle source = hosts.process(hosts.a);
        restartA();
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(source.isAlive()).isFalse();
        assertThat(hosts.runs(hosts.b)).isTrue();
    }

    @Test
    void theDestinationsAgentDiesAndTheLaterOneCommitsWhatHasBeenLoaded() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.crash(hosts.b);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        hosts.b = hosts.agent("host-b", "-again");
        MigrationReport.VmRunning running = null;
        while (running == null) {
            if (hosts.await(MigrationReport.class) instanceof MigrationReport.VmRunning said) {
                running = said;
            }
        }
        assertThat(running.host()).isEqualTo("host-b");
        assertThat(running.epoch()).isEqualTo(2);
        assertThat(hosts.runs(hosts.b)).isTrue();
        assertThat(hosts.runs(hosts.a)).isFalse();
    }

    @Test
    void somebodyElsesQemuIsAdoptedThroughItsSocketAndMoved() throws Exception {
        Path folder = hosts.a.folder().resolve(TwoQemuHosts.VM);
        Files.createDirectories(folder);
        Process foreign = new ProcessBuilder(
                        QemuAvailable.binary().toString(),
                        "-machine",
                        "pc",
                        "-accel",
                        "tcg",
                        "-m",
                        "150M",
                        "-nodefaults",
                        "-display",
                        "none",
                        "-qmp",
                        "unix:theirs,server=on,wait=off",
                        "-qmp",
                        "unix:test,server=on,wait=off")
                .directory(folder.toFile())
                .inheritIO()
                .start();
        try {
            Path socket = folder.resolve("theirs");
            Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> Files.exists(socket));
            VmSpec spec = hosts.create(TwoQemuHosts.spec(List.of(), List.of(), Optional.of(socket.toString())))
                    .spec();
            assertThat(spec.qemu().orElseThrow().machine()).startsWith("pc-i440fx-");
            DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
            hosts.beginSave("m-1", hosts.a, 1, to, 0);
            hosts.await(MigrationReport.ReadyToSwitchOver.class);
            hosts.handOff("m-1", hosts.a, hosts.b, 1);
            assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
            hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
            hosts.await(MigrationReport.SourceReleased.class);
            Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !foreign.isAlive());
        } finally {
            foreign.destroyForcibly();
        }
    }

    @Test
    void aQemuThatIsNotWhatTheSpecSaysIsLeftAsItWas() throws Exception {
        VmSpec other = hosts.create(TwoQemuHosts.spec()).spec();
        assertThat(other.vcpus()).isEqualTo(1);
        VmSpec wrong = new VmSpec("vm-2", "qemu", 64 * TwoQemuHosts.MIB, 1, other.workload(), List.of(), 1000)
                .withQemu(TwoQemuHosts.spec(
                                List.of(),
                                List.of(),
                                Optional.of(hosts.a
                                        .folder()
                                        .resolve(TwoQemuHosts.VM)
                                        .resolve("test")
                                        .toString()))
                        .qemu()
                        .orElseThrow());
        TestProbe<HostReply> probe = hosts.kit.createTestProbe();
        hosts.a.tell(new HostCommand.CreateVm(wrong, 1, probe.ref()));
        HostReply.HostRefused refused = (HostReply.HostRefused) probe.receiveMessage(TwoQemuHosts.PATIENCE);
        assertThat(refused.reason()).contains("157286400 bytes of memory; expected 67108864");
        hosts.awaitInventory(hosts.a, said -> said.vms().size() == 1);
        assertThat(hosts.runs(hosts.a)).isTrue();
    }
}
