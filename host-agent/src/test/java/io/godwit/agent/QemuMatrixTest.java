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
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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

    /** A monitor that can answer does so well within this. */
    private static final Duration SOON = Duration.ofMillis(500);

    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private VmSpec spec;
    private OneAtATime watch;
    private long before;
    private DataEndpoint listening = new DataEndpoint("nowhere", 1);
    private @Nullable FullBacklog silent;

    @BeforeEach
    void start() throws Exception {
        hosts = new TwoQemuHosts(root);
        Path image = root.resolve("guest.img");
        GUEST.writeImage(image);
        spec = hosts.create(TwoQemuHosts.spec(BootSectorGuest.bootFrom(image), List.of(), Optional.empty()))
                .spec();
        hosts.awaitSerial(hosts.a, BootSectorGuest.MARK);
        before = total(hosts.a, "before");
        watch = new OneAtATime(hosts);
    }

    @AfterEach
    void stop() throws Exception {
        letConnect();
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
        if (at == At.NONE) {
            // nothing has begun anywhere
            cancel();
            eventually(MigrationReport.SaveFailed.class);
            isAtSource();
            movesNext();
            return;
        }
        reach(at);
        cancel();
        switch (at) {
            case NONE -> throw new AssertionError(at);
            case SETUP, CANCELLING -> {
                awaitStatus(hosts.a, "cancelling");
                letConnect();
                assertThat(eventually(MigrationReport.SaveFailed.class).cancelled())
                        .isTrue();
                discard();
            }
            case ACTIVE, PRE_SWITCHOVER -> bothFail();
            case DEVICE -> {
                // handed off: only the ledger ends it, and a word to cancel is refused
                assertThat(eventually(MigrationReport.CommandRefused.class).reason())
                        .contains("has surrendered");
                abort();
                assertThat(eventually(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
                discard();
            }
            case COMPLETED -> {
                assertThat(eventually(MigrationReport.CommandRefused.class).reason())
                        .contains("has surrendered");
                abort();
                assertThat(eventually(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
                hosts.b = hosts.agent("host-b", "-again");
                discard();
            }
            case FAILED -> {
                eventually(MigrationReport.SaveFailed.class);
                discard();
            }
        }
        isAtSource();
        movesNext();
    }

    @ParameterizedTest
    @EnumSource(At.class)
    void aDestinationQemuKilledAtEachStatusLeavesTheGuestAtItsSource(At at) throws Exception {
        ProcessHandle destination = reach(at);
        destination.destroyForcibly();
        switch (at) {
            case NONE, FAILED -> eventually(MigrationReport.IncomingFailed.class);
            case SETUP -> {
                eventually(MigrationReport.IncomingFailed.class);
                cancel();
                letConnect();
                eventually(MigrationReport.SaveFailed.class);
            }
            case CANCELLING -> {
                eventually(MigrationReport.IncomingFailed.class);
                letConnect();
                eventually(MigrationReport.SaveFailed.class);
            }
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
        }
        isAtSource();
        movesNext();
    }

    @ParameterizedTest
    @EnumSource(At.class)
    void aSourceAgentKilledAtEachStatusLeavesOneInstanceWhereTheLedgerSays(At at) throws Exception {
        ProcessHandle destination = reach(at);
        hosts.crash(hosts.a);
        if (at == At.DEVICE) {
            signal(destination, "CONT");
        }
        hosts.a = hosts.agent("host-a", "-again");
        switch (at) {
            case NONE, FAILED -> discard();
            case SETUP, CANCELLING -> {
                awaitStatus(hosts.a, "cancelling");
                letConnect();
                assertThat(eventually(MigrationReport.SaveFailed.class).reason())
                        .contains("the agent was started anew");
                discard();
            }
            case ACTIVE, PRE_SWITCHOVER -> bothFail();
            case DEVICE, COMPLETED -> {
                if (at == At.COMPLETED) {
                    hosts.b = hosts.agent("host-b", "-again");
                }
                eventually(MigrationReport.SourceReleased.class);
                isAtDestination();
                return;
            }
        }
        isAtSource();
        movesNext();
    }

    /** Its last agent died with the word to go on unsaid: the next one says it, under the same handoff. */
    @Test
    void aSourceAgentKilledAfterTheHandoffBeganGoesOnWithItAsALaterOne() throws Exception {
        reach(At.PRE_SWITCHOVER);
        hosts.crash(hosts.a);
        hosts.beginHandoff("m-1", hosts.a, hosts.b, 1);
        hosts.a = hosts.agent("host-a", "-again");
        eventually(MigrationReport.SourceReleased.class);
        isAtDestination();
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "ACTIVE", "PRE_SWITCHOVER", "DEVICE", "COMPLETED"})
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
            case NONE -> {
                preSwitchover(listening);
                hosts.handOff("m-1", hosts.a, hosts.b, 1);
            }
            case ACTIVE -> {
                hosts.stopAndCopy("m-1", hosts.a, 1);
                eventually(MigrationReport.ReadyToSwitchOver.class);
                hosts.handOff("m-1", hosts.a, hosts.b, 1);
            }
            case PRE_SWITCHOVER -> hosts.handOff("m-1", hosts.a, hosts.b, 1);
            case DEVICE, COMPLETED -> {}
            case SETUP, CANCELLING, FAILED -> throw new AssertionError(at);
        }
        assertThat(eventually(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        eventually(MigrationReport.SourceReleased.class);
        isAtDestination();
    }

    @Test
    void aCopyThatNoSourceConnectsToEndsAndLeavesTheNameFree() throws Exception {
        hosts.close();
        hosts = new TwoQemuHosts(root.resolve("2"), "godwit.qemu.connect-timeout = 1 s", false);
        hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "", 1, TwoQemuHosts.options(0)));
        assertThat(eventually(MigrationReport.IncomingFailed.class).reason())
                .isEqualTo("no source has connected within 1000 ms");
        hosts.awaitInventory(hosts.b, said -> said.vms().isEmpty());
    }

    @Test
    void aCopyWhoseMigrationWasSettledWhileItsAgentWasAwayIsDiscarded() throws Exception {
        reach(At.NONE);
        hosts.crash(hosts.b);
        hosts.beginHandoff("m-1", hosts.a, hosts.b, 1);
        abort();
        hosts.b = hosts.agent("host-b", "-again");
        eventually(MigrationReport.IncomingDiscarded.class);
        hosts.awaitInventory(hosts.b, said -> said.vms().isEmpty());
    }

    /** The migration m-1 at {@code at}; the destination's process. */
    private ProcessHandle reach(At at) throws Exception {
        listening = hosts.prepare("m-1", spec, 1, hosts.b);
        switch (at) {
            case NONE -> {}
            case SETUP -> setup();
            case CANCELLING -> {
                setup();
                cancel();
                awaitStatus(hosts.a, "cancelling");
            }
            case ACTIVE -> active(listening);
            case PRE_SWITCHOVER -> preSwitchover(listening);
            case DEVICE -> device();
            case COMPLETED -> completed();
            case FAILED -> {
                hosts.beginSave("m-1", hosts.a, 1, new DataEndpoint("127.0.0.1", 1), 0);
                eventually(MigrationReport.SaveFailed.class);
            }
        }
        return hosts.process(hosts.b);
    }

    /** The source connects to somebody who never answers. */
    private void setup() throws IOException {
        silent = new FullBacklog();
        hosts.beginSave("m-1", hosts.a, 1, silent.endpoint(), 0);
        awaitStatus(hosts.a, "setup");
    }

    /** The connect that was under way ends. */
    private void letConnect() throws IOException {
        if (silent != null) {
            silent.close();
        }
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
        preSwitchover(listening);
        watch.pause();
        signal(hosts.process(hosts.b), "STOP");
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        Awaitility.await("the word to go on at host-a")
                .atMost(TwoQemuHosts.PATIENCE)
                .until(this::hasGoneOn);
    }

    /** A monitor that does not answer belongs to a QEMU that has gone on, and hangs with its destination. */
    private boolean hasGoneOn() throws Exception {
        try {
            return !hosts.qmpWithin(SOON, hosts.a, "query-migrate")
                    .path("status")
                    .asText()
                    .equals("pre-switchover");
        } catch (TimeoutException e) {
            return true;
        }
    }

    /** Handed off and all there, while the destination's agent, which would commit, is away. */
    private void completed() {
        preSwitchover(listening);
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
        // as the emulator needs it: stopped in the first pass, or it may lose writes
        hosts.beginSave("m-2", hosts.a, epoch, to, TwoQemuHosts.SLOW);
        eventually(MigrationReport.SaveStarted.class);
        hosts.stopAndCopy("m-2", hosts.a, epoch);
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
