package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.device.DeviceModels;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.RunLog;
import io.godwit.vm.Vm;
import io.godwit.vm.VmHost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A migration away from here against a QEMU that does what no real one can be made to do at will. */
class QemuDepartureTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String VM = "vm-1";

    /** So far from its end that nothing fits. */
    private static final String FAR =
            "{\"status\": \"active\", \"expected-downtime\": 300, \"ram\": {\"total\": 1000000,"
                    + " \"remaining\": 900000, \"mbps\": 0.008, \"page-size\": 4096, \"dirty-sync-count\": 2}}";

    /** A millisecond from it. */
    private static final String NEAR =
            "{\"status\": \"active\", \"expected-downtime\": 300, \"ram\": {\"total\": 1000000,"
                    + " \"remaining\": 1000, \"mbps\": 8, \"page-size\": 4096, \"dirty-sync-count\": 3}}";

    private static final String PRE_SWITCHOVER = "{\"status\": \"pre-switchover\"}";
    private static final String COMPLETED = "{\"status\": \"completed\", \"ram\": {\"total\": 1000000}}";
    private static final MigrationOptions OPTIONS = new MigrationOptions(100, false, 0, 10_000);

    @TempDir
    Path folder;

    private final Config config = ConfigFactory.parseString("""
                    pekko.actor.provider = local
                    godwit.qemu.tick = 20 ms
                    godwit.qemu.tcg-live = true
                    godwit.qemu.switchover-timeout = 300 ms
                    godwit.qemu.cancel-timeout = 300 ms
                    godwit.qemu.release-timeout = 300 ms
                    godwit.migration.ledger-poll = 10 s
                    """).withFallback(ConfigFactory.load());
    private final ActorTestKit kit = ActorTestKit.create("fake-qemu", config);
    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final TestProbe<MigrationMessage> reports = kit.createTestProbe("reports");
    private final TestProbe<OwnershipCommand> ledger = kit.createTestProbe("ledger");
    private final TestProbe<HostReply> replies = kit.createTestProbe("replies");
    private final FakeQemu qemu = new FakeQemu();
    private final List<String> runs = new CopyOnWriteArrayList<>();
    private ActorRef<QemuVm.Command> vm = kit.system().ignoreRef().unsafeUpcast();

    @BeforeEach
    void create() throws Exception {
        MigrationSettings settings = MigrationSettings.from(config);
        VmHost host = new VmHost(
                "host-a",
                new DataEndpoint("127.0.0.1", 1),
                DeviceModels.standard(config),
                (_, _) -> () -> {},
                (_, _) -> {
                    throw new IOException("not here");
                },
                blocking,
                System::nanoTime,
                new LearntDowntime(settings),
                new RunLog() {
                    @Override
                    public void running(String name, long epoch) {
                        runs.add("running " + epoch);
                    }

                    @Override
                    public void stopped(String name, long epoch) {
                        runs.add("stopped " + epoch);
                    }

                    @Override
                    public void stoppedAt(String name, long epoch, long nanos) {
                        runs.add("stopped " + epoch);
                    }
                },
                settings,
                reports.ref(),
                ledger.ref(),
                kit.<Vm.Event>createTestProbe("observer").ref());
        QemuHost here = new QemuHost(
                "qemu",
                Optional.of(new QemuAbility("9.2.0", List.of("q35"), List.of("qemu64"), List.of("tcg"), true)),
                () -> Long.MAX_VALUE,
                folder,
                new QemuLauncher() {
                    @Override
                    public QemuProcess launch(List<String> command, QemuFiles files) {
                        return qemu.process();
                    }

                    @Override
                    public Optional<QemuProcess> find(QemuFiles files) {
                        return Optional.empty();
                    }
                },
                _ -> qemu::connect,
                false,
                "none",
                QemuSettings.from(config),
                new QemuLearnt());
        VmSpec spec = new VmSpec(VM, "qemu", 2 << 20, 1, new WorkloadSpec(0, 0, false), List.of(), 1000)
                .withQemu(new QemuSpec(
                        "",
                        "auto",
                        List.of(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        List.of("postcopy-ram"),
                        List.of(),
                        Optional.empty()));
        vm = kit.spawn(QemuVm.create(host, here, new HostCommand.CreateVm(spec, 1, replies.ref())));
        HostReply.VmChanged created = replies.expectMessageClass(HostReply.VmChanged.class, PATIENCE);
        assertThat(created.status().spec().qemu().orElseThrow().machine()).isEqualTo("pc-q35-9.2");
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
        blocking.shutdownNow();
    }

    private void tell(HostCommand command) {
        vm.tell(new QemuVm.Asked(command));
    }

    private void beginSave() {
        beginSave(SaveLimits.first(OPTIONS, 1000));
    }

    private void beginSave(SaveLimits limits) {
        tell(new HostCommand.BeginSave("m-1", VM, 1, new DataEndpoint("127.0.0.1", 4), OPTIONS, limits));
        awaitAsked("migrate");
    }

    private void awaitAsked(String command) {
        Awaitility.await(command).atMost(PATIENCE).until(() -> qemu.asked.contains(command));
    }

    private <T extends MigrationMessage> T await(Class<T> kind) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            MigrationMessage message =
                    reports.receiveMessage(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (kind.isInstance(message)) {
                return kind.cast(message);
            }
            assertThat(message).isInstanceOfAny(SaveProgress.class, MigrationReport.SaveStarted.class);
        }
    }

    /** Progress of before what the fake says now may still be on its way. */
    private Progress awaitProgress(Predicate<Progress> wanted) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            Progress progress = await(SaveProgress.class).progress();
            if (wanted.test(progress)) {
                return progress;
            }
        }
        throw new AssertionError("no such progress in time");
    }

    private void handedOffAndContinued() {
        handedOffAndContinued(SaveLimits.first(OPTIONS, 1000));
    }

    private void handedOffAndContinued(SaveLimits limits) {
        beginSave(limits);
        qemu.stands(NEAR, "running");
        await(MigrationReport.ReadyToSwitchOver.class);
        qemu.stands(PRE_SWITCHOVER, "finish-migrate");
        tell(new HostCommand.SwitchOver("m-1", VM, 1));
        awaitAsked("migrate-continue");
    }

    @Test
    void nothingIsContinuedBeforeTheHandoffAndTheVmIsStoppedBeforeItIsAskedFor() throws Exception {
        beginSave();
        qemu.stands(FAR, "running");
        Progress far = awaitProgress(progress -> progress.remainingBytes() > 0);
        assertThat(far.hypervisorDowntimeMicros()).isEqualTo(300_000);
        assertThat(far.predictedDowntimeMicros()).isGreaterThan(900_000_000);
        assertThat(qemu.asked).doesNotContain("stop");
        qemu.stands(NEAR, "running");
        SaveStats promised = await(MigrationReport.ReadyToSwitchOver.class).stats();
        assertThat(promised.predictedDowntimeMicros()).isEqualTo(61_000);
        assertThat(promised.hypervisorDowntimeMicros()).isEqualTo(300_000);
        assertThat(qemu.asked).contains("stop");
        qemu.stands(PRE_SWITCHOVER, "finish-migrate");
        await(SaveProgress.class);
        await(SaveProgress.class);
        assertThat(qemu.asked).doesNotContain("migrate-continue");
        tell(new HostCommand.SwitchOver("m-1", VM, 1));
        awaitAsked("migrate-continue");
    }

    @Test
    void aConnectionThatIsThereIsToldToSendAtOnce() {
        beginSave();
        qemu.says("setup");
        qemu.stands(FAR, "running");
        awaitProgress(progress -> progress.remainingBytes() > 0);
        assertThat(qemu.hurried).hasValue(0);
        qemu.says("active");
        Awaitility.await().atMost(PATIENCE).until(() -> qemu.hurried.get() == 1);
    }

    @Test
    void aStatusOfTheFutureIsNoEnd() {
        beginSave();
        qemu.stands("{\"status\": \"a-status-of-the-future\"}", "running");
        awaitProgress(progress -> progress.triple().migration().equals("ACTIVE"));
        await(SaveProgress.class);
        assertThat(qemu.asked).doesNotContain("migrate_cancel", "stop");
    }

    @Test
    void inPostcopyThereIsNoCancelling() {
        beginSave();
        qemu.stands("{\"status\": \"postcopy-active\"}", "finish-migrate");
        // both questions answered since: one may have been before
        awaitProgress(progress -> progress.triple().vm().equals("FINISH_MIGRATE")
                && progress.triple().migration().equals("ACTIVE"));
        tell(new HostCommand.CancelSave("m-1", VM, "changed my mind"));
        assertThat(await(MigrationReport.CommandRefused.class).reason()).contains("no way back");
        assertThat(qemu.asked).doesNotContain("migrate_cancel");
    }

    @Test
    void completedCountsOnceTheRunStateSaysSo() {
        beginSave();
        qemu.stands("{\"status\": \"completed\", \"downtime\": 0, \"ram\": {\"total\": 1000000}}", "finish-migrate");
        await(SaveProgress.class);
        await(SaveProgress.class);
        // all the while nobody asks for a handoff: await would have failed
        qemu.stands("{\"status\": \"completed\", \"downtime\": 12, \"ram\": {\"total\": 1000000}}", "postmigrate");
        await(MigrationReport.ReadyToSwitchOver.class);
    }

    @Test
    void aQemuThatRunsAVmHandedOffIsStoppedAtOnceAndAgainOnlyTheLedgerLetsItRun() {
        handedOffAndContinued();
        long stops = qemu.asked.stream().filter("stop"::equals).count();
        qemu.stands("{\"status\": \"failed\"}", "running");
        assertThat(await(MigrationReport.SaveFailed.class).surrendered()).isTrue();
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> qemu.asked.stream().filter("stop"::equals).count() > stops);
        assertThat(qemu.asked.stream().filter("cont"::equals).count()).isEqualTo(1);
        tell(new HostCommand.RunVm("m-1", VM, 2));
        assertThat(await(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
        assertThat(qemu.asked.stream().filter("cont"::equals).count()).isEqualTo(2);
    }

    @Test
    void aSwitchoverThatHangsIsYankedOutOfBand() {
        handedOffAndContinued();
        qemu.stands("{\"status\": \"device\"}", "finish-migrate");
        awaitAsked("yank");
        assertThat(qemu.asked).doesNotContain("migrate_cancel");
        qemu.stands("{\"status\": \"failed\"}", "postmigrate");
        assertThat(await(MigrationReport.SaveFailed.class).surrendered()).isTrue();
    }

    @Test
    void aCancelThatHangsIsYankedOutOfBand() {
        beginSave();
        qemu.stands(FAR, "running");
        await(MigrationReport.SaveStarted.class);
        tell(new HostCommand.CancelSave("m-1", VM, "changed my mind"));
        qemu.stands("{\"status\": \"cancelling\"}", "running");
        awaitAsked("yank");
        qemu.stands("{\"status\": \"failed\", \"error-desc\": \"yanked\"}", "running");
        MigrationReport.SaveFailed failed = await(MigrationReport.SaveFailed.class);
        assertThat(failed.cancelled()).isTrue();
        assertThat(failed.surrendered()).isFalse();
    }

    @Test
    void whatQemuRefusesToBeginWithEndsTheMigrationWithItsWords() {
        qemu.refuses("migrate", "Migration is blocked by a device");
        beginSave();
        MigrationReport.SaveFailed failed = await(MigrationReport.SaveFailed.class);
        assertThat(failed.reason()).contains("blocked by a device");
        assertThat(failed.surrendered()).isFalse();
    }

    @Test
    void theWordToCancelThatComesAfterQemusOwnCompletionAsksTheLedgerFirst() {
        beginSave();
        qemu.stands("{\"status\": \"completed\", \"ram\": {\"total\": 1000000}}", "postmigrate");
        await(MigrationReport.ReadyToSwitchOver.class);
        tell(new HostCommand.CancelSave("m-1", VM, "changed my mind"));
        OwnershipCommand question = ledger.receiveMessage(PATIENCE);
        assertThat(question).isInstanceOf(OwnershipCommand.QueryOwnership.class);
        assertThat(qemu.asked.stream().filter("cont"::equals).count()).isEqualTo(1);
        question.replyTo()
                .tell(new OwnershipReply.OwnershipAccepted(
                        new OwnershipView(VM, Optional.of("host-a"), 1, Optional.empty(), Optional.empty())));
        assertThat(await(MigrationReport.SaveFailed.class).surrendered()).isFalse();
        assertThat(qemu.asked.stream().filter("cont"::equals).count()).isEqualTo(2);
    }

    @Test
    void aVmThatQemuHasStoppedGoesOnAtOnceAndIsHandedOffWithQemusWordThatAllIsLoaded() {
        beginSave();
        qemu.stands(FAR, "running");
        await(MigrationReport.SaveStarted.class);
        qemu.says("pre-switchover");
        awaitAsked("migrate-continue");
        // nobody asks for a handoff while QEMU may still let it run again: await would have failed
        awaitProgress(_ -> true);
        qemu.says("completed");
        SaveStats promised = await(MigrationReport.ReadyToSwitchOver.class).stats();
        assertThat(promised.predictedDowntimeMicros()).isEqualTo(60_000);
        assertThat(qemu.asked).doesNotContain("stop");
        // though QEMU, when it is asked, has not said so yet: its destination may run from now on
        Awaitility.await().atMost(PATIENCE).until(() -> runs.equals(List.of("running 1", "stopped 1")));
    }

    @Test
    void aVmThatQemuStoppedJustBeforeOurWordGoesOnWithoutAHandoff() {
        qemu.hasStopped();
        beginSave();
        qemu.stands(NEAR, "finish-migrate");
        awaitAsked("stop");
        qemu.says("pre-switchover");
        awaitAsked("migrate-continue");
        awaitProgress(_ -> true);
        qemu.says("completed");
        await(MigrationReport.ReadyToSwitchOver.class);
    }

    @Test
    void theStandstillEndsWhenTheDestinationSaysThatItRanNotWhenTheSourceHearsOfIt() {
        handedOffAndContinued();
        qemu.says("completed");
        qemu.stands("{\"status\": \"completed\", \"ram\": {\"total\": 1000000}}", "postmigrate");
        awaitProgress(progress -> progress.triple().vm().equals("POSTMIGRATE"));
        tell(new HostCommand.ReleaseSource("m-1", VM, 2, 0));
        Downtime stood = await(MigrationReport.SourceReleased.class).downtime();
        assertThat(stood.totalMicros()).isPositive();
        assertThat(stood.commitMicros())
                .as("of it, waiting for the handoff only")
                .isLessThan(stood.totalMicros());
    }

    @Test
    void aSourceThatIsToGoWaitsForQemusOwnEnd() {
        beginSave();
        qemu.says("setup");
        qemu.stands(NEAR, "running");
        await(MigrationReport.ReadyToSwitchOver.class);
        qemu.stands(PRE_SWITCHOVER, "finish-migrate");
        tell(new HostCommand.SwitchOver("m-1", VM, 1));
        awaitAsked("migrate-continue");
        tell(new HostCommand.ReleaseSource("m-1", VM, 2, 0));
        qemu.stands(COMPLETED, "postmigrate");
        MigrationReport.SourceReleased released = await(MigrationReport.SourceReleased.class);
        assertThat(released.states())
                .extracting(StateTriple::migration)
                .containsSubsequence("SETUP", "ACTIVE", "DEVICE", "COMPLETED");
        assertThat(released.downtime().totalMicros()).isPositive();
    }

    @Test
    void aQemuThatNeverEndsItsMigrationGoesAllTheSame() {
        handedOffAndContinued();
        tell(new HostCommand.ReleaseSource("m-1", VM, 2, 0));
        await(MigrationReport.SourceReleased.class);
        assertThat(qemu.asked).contains("quit").doesNotContain("yank");
    }

    @Test
    void aVmThatRunsElsewhereDoesNotRunHereWhateverQemuDoes() {
        handedOffAndContinued();
        tell(new HostCommand.ReleaseSource("m-1", VM, 2, 0));
        qemu.stands("{\"status\": \"device\"}", "running");
        await(MigrationReport.SourceReleased.class);
        assertThat(qemu.ended).isCompleted();
    }

    @Test
    void whatIsStillToBeFetchedStaysHoweverLongThatTakes() {
        handedOffAndContinued(new SaveLimits(0, 100, 1000, 0, 0, false, true));
        // the destination runs before anybody here has seen QEMU in postcopy
        tell(new HostCommand.ReleaseSource("m-1", VM, 2, 0));
        qemu.stands("{\"status\": \"postcopy-active\"}", "finish-migrate");
        // twice the limit of a source that is waited for, in ticks
        for (int i = 0; i < 30; i++) {
            await(SaveProgress.class);
        }
        assertThat(qemu.asked).doesNotContain("quit", "yank");
        qemu.stands(COMPLETED, "postmigrate");
        await(MigrationReport.SourceReleased.class);
    }

    @Test
    void aVmThatIsGivenBackBeforeItsMigrationHasBegunRunsUnderTheNewGrant() {
        qemu.holds("migrate");
        beginSave();
        tell(new HostCommand.RunVm("m-1", VM, 2));
        qemu.releases("migrate");
        awaitAsked("migrate_cancel");
        qemu.stands("{\"status\": \"cancelled\"}", "running");
        assertThat(await(MigrationReport.VmRunning.class).epoch()).isEqualTo(2);
    }
}
