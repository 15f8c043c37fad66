package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.agent.qemu.workload.PageRule;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever is cancelled or dies, at each status of QEMU's migration: at most one instance of the VM ever runs, it ends where
 * the ledger says, its memory keeps the guest's rule there, and the next migration succeeds.
 */
final class QemuMatrixTest {
    /** 8 MiB, two passes a second. */
    private static final BootSectorGuest GUEST = new BootSectorGuest(9L << 20, 4096, 1);

    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private VmSpec spec;
    private OneAtATime watch;
    private long before;

    @BeforeEach
    void start() throws Exception {
        hosts = new TwoQemuHosts(root);
        Path image = root.resolve("guest.img");
        GUEST.writeImage(image);
        spec = hosts.create(TwoQemuHosts.spec(BootSectorGuest.bootFrom(image), List.of(), Optional.empty()))
                .spec();
        Path serial = hosts.a.folder().resolve(TwoQemuHosts.VM).resolve("serial.log");
        Awaitility.await()
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> Files.readString(serial).contains(String.valueOf(BootSectorGuest.MARK)));
        before = total(hosts.a, "before");
        watch = new OneAtATime(hosts);
    }

    @AfterEach
    void stop() throws Exception {
        watch.close();
        hosts.close();
    }

    /** Statuses of QEMU's migration at which a test acts. */
    enum At {
        NONE,
        SETUP,
        ACTIVE,
        PRE_SWITCHOVER,
        DEVICE,
        CANCELLING,
        COMPLETED,
        FAILED
    }

    @ParameterizedTest
    @EnumSource(At.class)
    void aCancelAtEachStatusLeavesOneInstanceAndTheNextMigrationSucceeds(At at) throws Exception {
        switch (at) {
            case NONE -> {
                cancel();
                eventually(MigrationReport.SaveFailed.class);
            }
            case SETUP -> {
                try (FullBacklog silent = new FullBacklog()) {
                    hosts.beginSave("m-1", hosts.a, 1, silent.endpoint(), 0);
                    awaitStatus(hosts.a, "setup");
                    cancel();
                    awaitStatus(hosts.a, "cancelling");
                }
                assertThat(eventually(MigrationReport.SaveFailed.class).cancelled())
                        .isTrue();
            }
            case ACTIVE -> {
                active(hosts.prepare("m-1", spec, 1, hosts.b));
                cancel();
                bothFail();
            }
            case PRE_SWITCHOVER -> {
                preSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
                cancel();
                bothFail();
            }
            case DEVICE -> {
                // handed off: only the ledger ends it, and a word to cancel is refused
                device();
                cancel();
                assertThat(eventually(MigrationReport.CommandRefused.class).reason())
                        .contains("has surrendered");
                abort();
                assertThat(eventually(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
                discard();
            }
            case CANCELLING -> {
                active(hosts.prepare("m-1", spec, 1, hosts.b));
                cancel();
                cancel();
                bothFail();
            }
            case COMPLETED -> {
                completed();
                cancel();
                assertThat(eventually(MigrationReport.CommandRefused.class).reason())
                        .contains("has surrendered");
                abort();
                assertThat(eventually(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
                hosts.b = hosts.agent("host-b", "-again");
                discard();
            }
            case FAILED -> {
                hosts.beginSave("m-1", hosts.a, 1, new DataEndpoint("127.0.0.1", 1), 0);
                assertThat(eventually(MigrationReport.SaveFailed.class).reason())
                        .contains("Connection refused");
                cancel();
                eventually(MigrationReport.SaveFailed.class);
            }
        }
        isAtSource();
        movesNext();
    }

    @ParameterizedTest
    @EnumSource(names = {"ACTIVE", "PRE_SWITCHOVER", "DEVICE", "COMPLETED"})
    void aDestinationQemuKilledAtEachStatusLeavesTheGuestAtItsSource(At at) throws Exception {
        ProcessHandle destination = reach(at);
        destination.destroyForcibly();
        switch (at) {
            case ACTIVE -> bothFail();
            case PRE_SWITCHOVER -> {
                // a source that waits looks at no socket: it is the coordinator that hears of it, and gives up
                eventually(MigrationReport.IncomingFailed.class);
                cancel();
                assertThat(eventually(MigrationReport.SaveFailed.class).surrendered())
                        .isFalse();
            }
            case DEVICE -> {
                assertThat(eventually(MigrationReport.SaveFailed.class).surrendered())
                        .isTrue();
                assertThat(hosts.runs(hosts.a)).isFalse();
                abort();
                eventually(MigrationReport.VmRunning.class);
            }
            case COMPLETED -> {
                abort();
                eventually(MigrationReport.VmRunning.class);
                hosts.b = hosts.agent("host-b", "-again");
                eventually(MigrationReport.IncomingFailed.class);
            }
            case NONE, SETUP, CANCELLING, FAILED -> throw new AssertionError(at);
        }
        isAtSource();
        movesNext();
    }

    @ParameterizedTest
    @EnumSource(names = {"ACTIVE", "PRE_SWITCHOVER", "DEVICE", "COMPLETED"})
    void aSourceAgentKilledAtEachStatusLeavesOneInstanceWhereTheLedgerSays(At at) throws Exception {
        ProcessHandle destination = reach(at);
        hosts.crash(hosts.a);
        if (at == At.DEVICE) {
            signal(destination, "CONT");
        }
        hosts.a = hosts.agent("host-a", "-again");
        switch (at) {
            case ACTIVE, PRE_SWITCHOVER -> {
                bothFail();
                isAtSource();
                movesNext();
            }
            case DEVICE, COMPLETED -> {
                if (at == At.COMPLETED) {
                    hosts.b = hosts.agent("host-b", "-again");
                }
                eventually(MigrationReport.SourceReleased.class);
                isAtDestination();
            }
            case NONE, SETUP, CANCELLING, FAILED -> throw new AssertionError(at);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ACTIVE", "PRE_SWITCHOVER", "DEVICE", "COMPLETED"})
    void aDestinationAgentKilledAtEachStatusGoesOnAsALaterOne(At at) throws Exception {
        ProcessHandle destination = reach(at);
        if (at != At.COMPLETED) {
            hosts.crash(hosts.b);
        }
        if (at == At.DEVICE) {
            signal(destination, "CONT");
        }
        hosts.b = hosts.agent("host-b", "-again");
        switch (at) {
            case ACTIVE -> {
                hosts.stopAndCopy("m-1", hosts.a, 1);
                eventually(MigrationReport.ReadyToSwitchOver.class);
                hosts.handOff("m-1", hosts.a, hosts.b, 1);
            }
            case PRE_SWITCHOVER -> hosts.handOff("m-1", hosts.a, hosts.b, 1);
            case DEVICE, COMPLETED -> {}
            case NONE, SETUP, CANCELLING, FAILED -> throw new AssertionError(at);
        }
        assertThat(eventually(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        eventually(MigrationReport.SourceReleased.class);
        isAtDestination();
    }

    /** The migration m-1 at {@code at}; the destination's process. */
    private ProcessHandle reach(At at) throws Exception {
        switch (at) {
            case ACTIVE -> active(hosts.prepare("m-1", spec, 1, hosts.b));
            case PRE_SWITCHOVER -> preSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
            case DEVICE -> device();
            case COMPLETED -> completed();
            case NONE, SETUP, CANCELLING, FAILED -> throw new AssertionError(at);
        }
        return hosts.process(hosts.b);
    }

    private void active(DataEndpoint to) {
        hosts.beginSave("m-1", hosts.a, 1, to, TwoQemuHosts.SLOW);
        eventually(MigrationReport.SaveStarted.class);
        awaitStatus(hosts.a, "active");
    }

    private void preSwitchover(DataEndpoint to) {
        active(to);
        hosts.stopAndCopy("m-1", hosts.a, 1);
        eventually(MigrationReport.ReadyToSwitchOver.class);
        awaitStatus(hosts.a, "pre-switchover");
    }

    /** Handed off, and told to go on to a destination that hangs: the source's main loop may hang with it. */
    private void device() throws Exception {
        preSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
        watch.pause();
        signal(hosts.process(hosts.b), "STOP");
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
    }

    /** Handed off and all there, while the destination's agent, which would commit, is away. */
    private void completed() {
        preSwitchover(hosts.prepare("m-1", spec, 1, hosts.b));
        hosts.crash(hosts.b);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        awaitStatus(hosts.a, "completed");
        awaitStatus(hosts.b, "completed");
    }

    private void cancel() {
        hosts.a.tell(new HostCommand.CancelSave("m-1", TwoQemuHosts.VM, "changed my mind"));
    }

    private void abort() {
        hosts.ask(replyTo -> new OwnershipCommand.AbortHandoff(TwoQemuHosts.VM, "m-1", 1, "the test says so", replyTo));
    }

    private void discard() {
        hosts.b.tell(new HostCommand.DiscardIncoming("m-1", TwoQemuHosts.VM, "it is over"));
        eventually(MigrationReport.IncomingDiscarded.class);
    }

    private void bothFail() {
        boolean save = false;
        boolean incoming = false;
        while (!save || !incoming) {
            MigrationReport report = eventually(MigrationReport.class);
            save |= report instanceof MigrationReport.SaveFailed;
            incoming |= report instanceof MigrationReport.IncomingFailed;
        }
    }

    /** The next report of that kind, whatever else is said meanwhile. */
    private <T extends MigrationReport> T eventually(Class<T> kind) {
        while (true) {
            MigrationReport report = hosts.await(MigrationReport.class);
            if (kind.isInstance(report)) {
                return kind.cast(report);
            }
        }
    }

    private void awaitStatus(TwoQemuHosts.Agent agent, String wanted) {
        Awaitility.await(wanted + " at " + agent.id())
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> hosts.qmp(agent, "query-migrate")
                        .path("status")
                        .asText()
                        .equals(wanted));
    }

    private OwnershipView ledger() {
        return ((OwnershipReply.OwnershipAccepted)
                        hosts.ask(replyTo -> new OwnershipCommand.QueryOwnership(TwoQemuHosts.VM, replyTo)))
                .view();
    }

    private void isAtSource() throws Exception {
        assertThat(ledger().host()).contains("host-a");
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> hosts.runs(hosts.a));
        assertThat(hosts.runs).noneMatch(line -> line.startsWith("host-b runs"));
    }

    private void isAtDestination() throws Exception {
        assertThat(ledger().host()).contains("host-b");
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> hosts.runs(hosts.b));
        assertThat(hosts.runs).endsWith("host-a stops", "host-b runs under 2");
        keepsItsRule(hosts.b);
    }

    private void movesNext() throws Exception {
        long epoch = ledger().epoch();
        // the copy that came to nothing is being forgotten there
        hosts.awaitInventory(hosts.b, said -> said.vms().isEmpty());
        watch.resume();
        DataEndpoint to = hosts.prepare("m-2", spec, epoch, hosts.b);
        hosts.beginSave("m-2", hosts.a, epoch, to, 0);
        eventually(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-2", hosts.a, hosts.b, epoch);
        assertThat(eventually(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-2", TwoQemuHosts.VM, epoch + 1));
        eventually(MigrationReport.SourceReleased.class);
        keepsItsRule(hosts.b);
    }

    private void keepsItsRule(TwoQemuHosts.Agent agent) throws IOException {
        watch.check();
        assertThat(total(agent, "after")).isGreaterThan(before);
    }

    /** Additions that its pages hold, while it stands. */
    private long total(TwoQemuHosts.Agent agent, String name) throws IOException {
        PageRule rule = GUEST.rule();
        Path dump = root.resolve(name);
        hosts.qmp(agent, "stop");
        hosts.qmp(
                agent,
                "pmemsave",
                "{\"val\": " + rule.firstGpa() + ", \"size\": " + rule.bytes() + ", \"filename\": \"" + dump + "\"}");
        hosts.qmp(agent, "cont");
        PageRule.Verdict verdict = rule.check(dump, OptionalLong.empty());
        Files.delete(dump);
        assertThat(verdict).isInstanceOf(PageRule.Verdict.Holds.class);
        return ((PageRule.Verdict.Holds) verdict).total();
    }

    private static void signal(ProcessHandle process, String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }
}
