package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.net.InetAddress;
import java.net.ServerSocket;
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

/** Real QEMU processes, moved between two agents; what happened is asked of the QEMUs themselves, too. */
final class QemuMigrationTest {
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

    /** From the handoff on to the end: the destination runs, the source is gone. */
    private MigrationReport.SourceReleased finish(String migration, long epoch) throws Exception {
        MigrationReport.VmRunning running = hosts.await(MigrationReport.VmRunning.class);
        assertThat(running.host()).isEqualTo("host-b");
        assertThat(running.epoch()).isEqualTo(epoch + 1);
        assertThat(hosts.runs(hosts.a)).isFalse();
        assertThat(hosts.runs(hosts.b)).isTrue();
        ProcessHandle source = hosts.process(hosts.a);
        hosts.a.tell(new HostCommand.ReleaseSource(migration, TwoQemuHosts.VM, epoch + 1));
        MigrationReport.SourceReleased released = hosts.await(MigrationReport.SourceReleased.class);
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !source.isAlive());
        assertThat(hosts.awaitVm(hosts.b, vm -> vm.runState() == RunState.RUNNING)
                        .epoch())
                .isEqualTo(epoch + 1);
        return released;
    }

    @Test
    void createsAGuestThatRunsAndDestroysIt() throws Exception {
        VmStatus status = hosts.create(TwoQemuHosts.spec());
        assertThat(status.spec().qemu().orElseThrow().machine()).startsWith("pc-i440fx-");
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(hosts.awaitVm(hosts.a, vm -> vm.runState() == RunState.RUNNING)
                        .epoch())
                .isEqualTo(1);
        ProcessHandle process = hosts.process(hosts.a);
        TestProbe<HostReply> probe = hosts.kit.createTestProbe();
        hosts.a.tell(new HostCommand.DestroyVm(TwoQemuHosts.VM, 1, probe.ref()));
        assertThat(probe.receiveMessage(TwoQemuHosts.PATIENCE)).isEqualTo(new HostReply.VmGone(TwoQemuHosts.VM));
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !process.isAlive());
        assertThat(hosts.runs).containsExactly("host-a runs under 1", "host-a stops");
    }

    @Test
    void aSpecThatQemuRefusesIsAnsweredWithItsLastWords() {
        VmSpec spec = TwoQemuHosts.spec(List.of("-device", "no-such-device"), List.of(), Optional.empty());
        TestProbe<HostReply> probe = hosts.kit.createTestProbe();
        hosts.a.tell(new HostCommand.CreateVm(spec, 1, probe.ref()));
        HostReply.HostRefused refused = (HostReply.HostRefused) probe.receiveMessage(TwoQemuHosts.PATIENCE);
        assertThat(refused.reason())
                .contains("exited with status 1")
                .contains("'no-such-device' is not a valid device model name");
        Path manifest = hosts.a.folder().resolve(TwoQemuHosts.VM).resolve("manifest.json");
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !Files.exists(manifest));
    }

    @Test
    void movesAnIdleGuestThatQemuStopsBeforeAnybodyAsks() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        // QEMU has gone to the end by itself, and nobody owns it but the source
        assertThat(hosts.qmp(hosts.b, "query-status").path("running").asBoolean())
                .isFalse();
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        MigrationReport.SourceReleased released = finish("m-1", 1);
        assertThat(released.downtime().totalMicros()).isPositive();
        assertThat(hosts.runs).containsExactly("host-a runs under 1", "host-a stops", "host-b runs under 2");
        assertThat(released.states()).endsWith(new StateTriple("POSTMIGRATE", "COMPLETED", "-"));
    }

    @Test
    void movesAGuestThatIsStoppedByUsAndWaitsForTheHandoffBeforeTheDestinationLoads() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.stopAndCopy("m-1", hosts.a, 1);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        Awaitility.await()
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> hosts.qmp(hosts.a, "query-migrate")
                        .path("status")
                        .asText()
                        .equals("pre-switchover"));
        assertThat(hosts.qmp(hosts.b, "query-status").path("status").asText()).isEqualTo("inmigrate");
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        finish("m-1", 1);
        assertThat(hosts.runs).containsExactly("host-a runs under 1", "host-a stops", "host-b runs under 2");
    }

    @Test
    void aCancelledMigrationLeavesTheGuestRunningAndTheNextOneSucceeds() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
        secondMoveAfterFailure(spec, "changed my mind", true);
    }

    @Test
    void cancelledWhileItStandsAtPreSwitchoverItRunsOnAndTheNextOneSucceeds() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.stopAndCopy("m-1", hosts.a, 1);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
        secondMoveAfterFailure(spec, "changed my mind", true);
    }

    @Test
    void cancelledAfterQemuHasCompletedByItselfItRunsOnAndTheNextOneSucceeds() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
        MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
        assertThat(failed.surrendered()).isFalse();
        assertThat(hosts.runs(hosts.a)).isTrue();
        hosts.b.tell(new HostCommand.DiscardIncoming("m-1", TwoQemuHosts.VM, "cancelled"));
        hosts.await(MigrationReport.IncomingDiscarded.class);
        move(spec, "m-2", 1);
    }

    @Test
    void aDestinationThatIsNotThereLeavesTheGuestRunning() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        int closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        hosts.beginSave("m-1", hosts.a, 1, new DataEndpoint("127.0.0.1", closed), 0);
        MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
        assertThat(failed.surrendered()).isFalse();
        assertThat(failed.cancelled()).isFalse();
        assertThat(failed.reason()).contains("Connection refused");
        assertThat(hosts.runs(hosts.a)).isTrue();
        move(spec, "m-2", 1);
    }

    @Test
    void aDestinationKilledWhileItReceivesLeavesTheGuestRunning() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.process(hosts.b).destroyForcibly();
        TwoReports both = bothFail();
        assertThat(both.incoming().reason()).contains("signal 9 (SIGKILL)");
        assertThat(both.save().surrendered()).isFalse();
        assertThat(hosts.runs(hosts.a)).isTrue();
        move(spec, "m-2", 1);
    }

    @Test
    void aDestinationKilledAtTheSwitchoverLeavesTheGuestStandingUntilTheLedgerSays() throws Exception {
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.stopAndCopy("m-1", hosts.a, 1);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.process(hosts.b).destroyForcibly();
        hosts.await(MigrationReport.IncomingFailed.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
        assertThat(failed.surrendered()).isTrue();
        assertThat(hosts.runs(hosts.a)).isFalse();
        hosts.ask(replyTo -> new io.godwit.proto.ownership.OwnershipCommand.AbortHandoff(
                TwoQemuHosts.VM, "m-1", 1, "the destination died", replyTo));
        // nobody tells it: it asks
        assertThat(hosts.await(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
        assertThat(hosts.runs(hosts.a)).isTrue();
        move(spec, "m-2", 2);
    }

    private record TwoReports(MigrationReport.SaveFailed save, MigrationReport.IncomingFailed incoming) {}

    private TwoReports bothFail() {
        MigrationReport.SaveFailed save = null;
        MigrationReport.IncomingFailed incoming = null;
        while (save == null || incoming == null) {
            MigrationReport report = hosts.await(MigrationReport.class);
            if (report instanceof MigrationReport.SaveFailed failed) {
                save = failed;
            } else if (report instanceof MigrationReport.IncomingFailed failed) {
                incoming = failed;
            }
        }
        return new TwoReports(save, incoming);
    }

    /** QEMU 7.2's destination ends when the source cancels. */
    private void secondMoveAfterFailure(VmSpec spec, String reason, boolean cancelled) throws Exception {
        TwoReports both = bothFail();
        assertThat(both.save().surrendered()).isFalse();
        assertThat(both.save().cancelled()).isEqualTo(cancelled);
        assertThat(both.save().reason()).contains(reason);
        assertThat(both.incoming().reason()).contains("exited with status 1");
        assertThat(hosts.runs(hosts.a)).isTrue();
        move(spec, "m-2", 1);
    }

    private void move(VmSpec spec, String migration, long epoch) throws Exception {
        DataEndpoint to = hosts.prepare(migration, spec, epoch, hosts.b);
        hosts.beginSave(migration, hosts.a, epoch, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff(migration, hosts.a, hosts.b, epoch);
        finish(migration, epoch);
    }
}
