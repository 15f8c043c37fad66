package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest runs at its destination before its memory is there: only under the ledger's commit, and however often the link breaks. */
final class QemuPostcopyTest {
    /** 8 MiB, two passes a second. */
    private static final BootSectorGuest GUEST = new BootSectorGuest(9L << 20, 4096, 1);

    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private VmSpec spec;

    @BeforeEach
    void start() throws IOException {
        hosts = new TwoQemuHosts(root);
        Path image = root.resolve("guest.img");
        GUEST.writeImage(image);
        spec = hosts.create(
                        TwoQemuHosts.spec(BootSectorGuest.bootFrom(image), List.of("postcopy-ram"), Optional.empty()))
                .spec();
        // firmware talks to devices, and waits for a page with QEMU's lock held: nobody hears of a broken link then
        hosts.awaitSerial(hosts.a, BootSectorGuest.MARK);
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    private String status(TwoQemuHosts.Agent agent) throws IOException {
        return hosts.qmp(agent, "query-migrate").path("status").asText();
    }

    private void awaitStatus(TwoQemuHosts.Agent agent, String wanted) {
        Awaitility.await(wanted + " at " + agent.id())
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> status(agent).equals(wanted));
    }

    /** The source stands before the switchover, and what is dirty will be fetched after it. */
    private void standsForPostcopy() {
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.a.tell(new HostCommand.AdjustSave(
                "m-1", TwoQemuHosts.VM, 1, new SaveLimits(7, 2000, 2000, TwoQemuHosts.SLOW, 0, false, true)));
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        awaitStatus(hosts.a, "pre-switchover");
    }

    /** It runs at the destination, most of its memory is still at the source. */
    private void runsThere() throws Exception {
        standsForPostcopy();
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        assertThat(hosts.runs(hosts.b)).isTrue();
        assertThat(hosts.runs(hosts.a)).isFalse();
        assertThat(status(hosts.b)).isEqualTo("postcopy-active");
        assertThat(hosts.qmp(hosts.a, "query-migrate")
                        .path("ram")
                        .path("remaining")
                        .asLong())
                .isGreaterThan(TwoQemuHosts.MIB);
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
    }

    /** The rest comes as fast as it can; only then is the source let go. */
    private MigrationReport.SourceReleased fetchesTheRest(ProcessHandle source) throws Exception {
        assertThat(source.isAlive()).isTrue();
        hosts.qmp(hosts.a, "migrate-set-parameters", "{\"max-postcopy-bandwidth\": 0}");
        MigrationReport.SourceReleased released = hosts.await(MigrationReport.SourceReleased.class);
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> !source.isAlive());
        awaitStatus(hosts.b, "completed");
        assertThat(hosts.runs(hosts.b)).isTrue();
        // a later agent writes down once more that it runs
        assertThat(hosts.runs.stream().distinct())
                .containsExactly("host-a runs under 1", "host-a stops", "host-b runs under 2");
        VmStatus status = hosts.awaitVm(hosts.b, vm -> vm.blockers().isEmpty() && vm.runState() == RunState.RUNNING);
        assertThat(status.epoch()).isEqualTo(2);
        return released;
    }

    @Test
    void nothingRunsAtTheDestinationBeforeTheCommitAndTheSourceIsKeptUntilAllHasBeenFetched() throws Exception {
        standsForPostcopy();
        assertThat(hosts.runs(hosts.a)).isFalse();
        assertThat(hosts.qmp(hosts.b, "query-status").path("status").asText()).isEqualTo("inmigrate");
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
        ProcessHandle source = hosts.process(hosts.a);
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        VmStatus fetching = hosts.awaitVm(hosts.b, vm -> !vm.blockers().isEmpty());
        assertThat(fetching.runState()).isEqualTo(RunState.RUNNING);
        assertThat(fetching.blockers()).singleElement().asString().contains("still fetched");
        assertThat(fetchesTheRest(source).downtime().totalMicros()).isPositive();
    }

    @Test
    void aLinkThatBreaksTwiceIsMendedByBothEnds() throws Exception {
        runsThere();
        ProcessHandle source = hosts.process(hosts.a);
        for (int times = 0; times < 2; times++) {
            hosts.qmp(hosts.a, "migrate-pause");
            hosts.awaitVm(hosts.b, vm -> vm.failure().isPresent());
            hosts.awaitVm(hosts.b, vm -> vm.failure().isEmpty() && vm.runState() == RunState.RUNNING);
            awaitStatus(hosts.a, "postcopy-active");
            awaitStatus(hosts.b, "postcopy-active");
        }
        var _ = fetchesTheRest(source);
    }

    @Test
    void bothAgentsDieWhileMemoryIsFetchedAndTheLaterOnesMendTheLink() throws Exception {
        runsThere();
        ProcessHandle source = hosts.process(hosts.a);
        hosts.crash(hosts.a);
        hosts.crash(hosts.b);
        hosts.qmp(hosts.a, "migrate-pause");
        hosts.a = hosts.agent("host-a", "-again");
        hosts.b = hosts.agent("host-b", "-again");
        awaitStatus(hosts.a, "postcopy-active");
        awaitStatus(hosts.b, "postcopy-active");
        var _ = fetchesTheRest(source);
    }

    @Test
    void thereIsNoCancellingOnceItMayRunElsewhere() throws Exception {
        runsThere();
        ProcessHandle source = hosts.process(hosts.a);
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
        assertThat(hosts.await(MigrationReport.CommandRefused.class).reason()).contains("no way back");
        assertThat(status(hosts.a)).isEqualTo("postcopy-active");
        var _ = fetchesTheRest(source);
    }

    @Test
    void anAbortBeforeTheDestinationRanTakesTheGuestBack() throws Exception {
        standsForPostcopy();
        // so that the destination cannot commit: its agent is away, its QEMU loads all the same
        hosts.crash(hosts.b);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        awaitStatus(hosts.b, "postcopy-active");
        Awaitility.await()
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> hosts.qmp(hosts.b, "query-status")
                        .path("status")
                        .asText()
                        .equals("paused"));
        hosts.ask(replyTo -> new OwnershipCommand.AbortHandoff(TwoQemuHosts.VM, "m-1", 1, "it is silent", replyTo));
        assertThat(hosts.await(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(hosts.runs(hosts.b)).isFalse();
        assertThat(hosts.runs).doesNotContain("host-b runs under 2");
    }

    @Test
    void aGuestWithoutTheCapabilityIsRefused() {
        TestProbe<HostReply> gone = hosts.kit.createTestProbe();
        hosts.a.tell(new HostCommand.DestroyVm(TwoQemuHosts.VM, 1, gone.ref()));
        gone.expectMessageClass(HostReply.VmGone.class, TwoQemuHosts.PATIENCE);
        hosts.create(TwoQemuHosts.spec());
        hosts.a.tell(new HostCommand.BeginSave(
                "m-1",
                TwoQemuHosts.VM,
                1,
                new DataEndpoint("127.0.0.1", 1),
                TwoQemuHosts.options(0),
                new SaveLimits(0, 2000, 2000, 0, 0, false, true)));
        assertThat(hosts.await(MigrationReport.CommandRefused.class).reason())
                .contains("needs the migration capability postcopy-ram");
    }
}
