package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.vm.VmSpec;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can go wrong between the word to go on at the switchover and the end: no two QEMUs ever run the VM. */
final class QemuOutcomeTest {
    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private VmSpec spec;

    @BeforeEach
    void start() {
        hosts = new TwoQemuHosts(root);
        spec = hosts.create(TwoQemuHosts.spec()).spec();
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    /** The VM stands by our own word, and QEMU has sent all but the end. */
    private void standsAtPreSwitchover(DataEndpoint to) {
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
    }

    private void abort() {
        hosts.ask(replyTo -> new OwnershipCommand.AbortHandoff(TwoQemuHosts.VM, "m-1", 1, "the test says so", replyTo));
    }

    @Test
    void theDestinationsLastWordIsLostAndTheSourceDoesNotRunBesideIt() throws Exception {
        try (LossyProxy link = new LossyProxy(hosts.prepare("m-1", spec, 1, hosts.b))) {
            standsAtPreSwitchover(link.endpoint());
            link.deafen();
            hosts.handOff("m-1", hosts.a, hosts.b, 1);
            MigrationReport.VmRunning running = hosts.await(MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-b");
            assertThat(hosts.qmp(hosts.a, "query-migrate").path("status").asText())
                    .isEqualTo("device");
            link.cut();
            assertThat(hosts.await(MigrationReport.SaveFailed.class).surrendered())
                    .isTrue();
            assertThat(hosts.qmp(hosts.a, "query-migrate").path("status").asText())
                    .isEqualTo("failed");
        }
        assertThat(hosts.runs(hosts.b)).isTrue();
        assertThat(hosts.runs(hosts.a)).isFalse();
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(hosts.runs).containsExactly("host-a runs under 1", "host-a stops", "host-b runs under 2");
    }

    @Test
    void theLastWordOfAMigrationThatWasNotHandedOffIsLostAndTheDestinationNeverRuns() throws Exception {
        try (LossyProxy link = new LossyProxy(hosts.prepare("m-1", spec, 1, hosts.b))) {
            link.deafen();
            // QEMU goes to the end by itself
            hosts.beginSave("m-1", hosts.a, 1, link.endpoint(), 0);
            Awaitility.await()
                    .atMost(TwoQemuHosts.PATIENCE)
                    .until(() -> hosts.qmp(hosts.b, "query-migrate")
                            .path("status")
                            .asText()
                            .equals("completed"));
            link.cut();
            assertThat(hosts.await(MigrationReport.SaveFailed.class).surrendered())
                    .isFalse();
        }
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(hosts.runs(hosts.b)).isFalse();
        hosts.b.tell(new HostCommand.DiscardIncoming("m-1", TwoQemuHosts.VM, "it failed"));
        hosts.await(MigrationReport.IncomingDiscarded.class);
        assertThat(hosts.runs).doesNotContain("host-b runs under 2");
    }

    @Test
    void aDestinationThatHangsIsCutOffOutOfBandAndTheSourceRunsWhenTheLedgerSays() throws Exception {
        standsAtPreSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
        ProcessHandle destination = hosts.process(hosts.b);
        signal(destination, "STOP");
        try {
            hosts.handOff("m-1", hosts.a, hosts.b, 1);
            MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
            assertThat(failed.surrendered()).isTrue();
            assertThat(hosts.runs(hosts.a)).isFalse();
            abort();
            MigrationReport.VmRunning running = hosts.await(MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(running.epoch()).isEqualTo(2);
            assertThat(hosts.runs(hosts.a)).isTrue();
        } finally {
            hosts.b.tell(new HostCommand.DiscardIncoming("m-1", TwoQemuHosts.VM, "it hangs"));
        }
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !destination.isAlive());
    }

    @Test
    void anAbortBeforeTheSourceHasHeardOfTheHandoffLetsItRunUnderTheNewEpoch() throws Exception {
        standsAtPreSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
        hosts.ask(replyTo ->
                new OwnershipCommand.BeginHandoff(TwoQemuHosts.VM, "m-1", "host-a", "host-b", 1, 10_000, replyTo));
        abort();
        hosts.a.tell(new HostCommand.RunVm("m-1", TwoQemuHosts.VM, 2));
        // the destination ends when the source cancels; which of the two is heard first is a matter of chance
        MigrationReport.VmRunning running = null;
        while (running == null) {
            if (hosts.await(MigrationReport.class) instanceof MigrationReport.VmRunning here) {
                running = here;
            }
        }
        assertThat(running.epoch()).isEqualTo(2);
        assertThat(hosts.runs(hosts.a)).isTrue();
    }

    @Test
    void theSourcesQemuDiesAfterTheHandoffAndTheDestinationIsTheVm() throws Exception {
        standsAtPreSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.process(hosts.a).destroyForcibly();
        assertThat(hosts.await(MigrationReport.SaveFailed.class).reason()).contains("signal 9 (SIGKILL)");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(hosts.runs(hosts.b)).isTrue();
    }

    @Test
    void aSourceWithACapabilityThatTheDestinationLacksKeepsTheGuest() throws Exception {
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        // as if the two ends had been configured apart: the agents themselves set both
        hosts.qmp(
                hosts.a,
                "migrate-set-capabilities",
                "{\"capabilities\": [{\"capability\": \"multifd\", \"state\": true}]}");
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
        assertThat(failed.surrendered()).isFalse();
        assertThat(hosts.runs(hosts.a)).isTrue();
        // 7.2's destination hangs for ever: it goes when it is told
        ProcessHandle destination = hosts.process(hosts.b);
        hosts.b.tell(new HostCommand.DiscardIncoming("m-1", TwoQemuHosts.VM, "it failed"));
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !destination.isAlive());
    }

    private static void signal(ProcessHandle process, String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }
}
