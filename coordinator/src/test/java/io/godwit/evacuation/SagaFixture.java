package io.godwit.evacuation;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.convergence.Reports;
import io.godwit.ownership.OwnershipEntity;
import io.godwit.plan.Pictures;
import io.godwit.proto.Names;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReply;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.IncomingReady;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveStarted;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.MigrationRequest.ShowMigration;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * One migration of vm-1 from host-1 to host-2 over real entities with a journal in memory, or in the store of a given
 * system. Events pass through their Protobuf form; the two agents are probes that the test plays.
 */
final class SagaFixture implements AutoCloseable {
    static final StateTriple SOURCE_TRIPLE = new StateTriple("FINISH_MIGRATE", "DEVICE", "_SAVING");
    static final StateTriple DESTINATION_TRIPLE = new StateTriple("RUNNING", "COMPLETED", "_RUNNING");
    static final SaveStats STATS = new SaveStats(64, 70, 64, 1, 3, 2, 500, 1000, 40_000);
    static final Downtime DOWNTIME = new Downtime(1, 2, 3, 4, 5, 6, 7);
    private static final AtomicInteger SYSTEMS = new AtomicInteger();

    final ActorTestKit kit;
    final String id = "m-1";
    final VmSpec spec = Pictures.vm("vm-1", 64);
    final TestProbe<MigrationReply> client;
    final TestProbe<ShardCommand> shard;
    final TestProbe<EvacuationMessage> evacuation;
    TestProbe<HostCommand> source;
    TestProbe<HostCommand> destination;
    ActorRef<OwnershipCommand> ledger;
    ActorRef<MigrationMessage> migration;

    SagaFixture(String overrides) {
        this(overrides, 20_000);
    }

    SagaFixture(String overrides, long handoffDeadlineMs) {
        this(kitWithAJournalInMemory(overrides), handoffDeadlineMs);
    }

    /** Over the journal of {@code kit}, which it closes. */
    SagaFixture(ActorTestKit kit, long handoffDeadlineMs) {
        this.kit = kit;
        client = kit.createTestProbe();
        shard = kit.createTestProbe();
        evacuation = kit.createTestProbe();
        options = new MigrationOptions(300, true, 0, handoffDeadlineMs);
        source = agent("host-1");
        destination = agent("host-2");
        ledger = kit.spawn(OwnershipEntity.create("vm-1", PersistenceId.of("Ownership", "vm-1")));
        TestProbe<OwnershipReply> claimed = kit.createTestProbe();
        ledger.tell(new ClaimOwnership("vm-1", "host-1", claimed.getRef()));
        claimed.expectMessageClass(OwnershipReply.OwnershipAccepted.class);
        migration = spawn();
    }

    private static ActorTestKit kitWithAJournalInMemory(String overrides) {
        Config config = ConfigFactory.parseString(overrides)
                .withFallback(ConfigFactory.parseString("""
                        pekko.actor.serialize-messages = on
                        godwit.migration.resend-interval = 100 ms
                        godwit.migration.host-gone-after = 300 ms
                        """))
                .withFallback(PersistenceTestKitPlugin.getInstance().config())
                .withFallback(PersistenceTestKitSnapshotPlugin.config())
                .withFallback(ConfigFactory.parseString("pekko.persistence.testkit.events.serialize = on"))
                .resolve();
        return ActorTestKit.create("saga-" + SYSTEMS.incrementAndGet(), config.withFallback(ConfigFactory.load()));
    }

    /** For the next start. */
    MigrationOptions options;

    /** A host's agent: a probe that the receptionist lists. */
    TestProbe<HostCommand> agent(String host) {
        TestProbe<HostCommand> probe = kit.createTestProbe();
        kit.system().receptionist().tell(Receptionist.register(Names.agentOf(host), probe.getRef()));
        return probe;
    }

    /** The agent is gone: the receptionist lists it no more. */
    void kill(String host, TestProbe<HostCommand> agent) {
        kit.system().receptionist().tell(Receptionist.deregister(Names.agentOf(host), agent.getRef()));
    }

    private ActorRef<MigrationMessage> spawn() {
        return kit.spawn(MigrationEntity.create(
                id,
                PersistenceId.of("Migration", id),
                shard.getRef(),
                MigrationSettings.from(kit.system().settings().config()),
                new MigrationPorts(_ -> ledger, _ -> evacuation.getRef())));
    }

    /** The entity dies, and another one recovers from the journal. */
    void restart() {
        kit.stop(migration);
        migration = spawn();
    }

    MigrationView start() {
        migration.tell(request());
        return client.expectMessageClass(MigrationShown.class).view();
    }

    StartMigration request() {
        return new StartMigration(id, spec, "host-1", "host-2", 1, options, Optional.of("e-1"), client.getRef());
    }

    /** With this convergence policy or ladder, and a limit on the bandwidth to lift. */
    void by(String convergence) {
        options = new MigrationOptions(300, true, 10 << 20, options.handoffDeadlineMs(), 0, convergence);
    }

    /** The source tells that everything has been sent once, and that it keeps {@code limits}. */
    void progress(long precopyMillis, long predictedMs, SaveLimits limits) {
        tell(new SaveProgress(id, "host-1", Reports.at(precopyMillis, predictedMs, limits)));
    }

    MigrationView show() {
        migration.tell(new ShowMigration(id, client.getRef()));
        return client.expectMessageClass(MigrationShown.class).view();
    }

    OwnershipView ownership() {
        TestProbe<OwnershipReply> probe = kit.createTestProbe();
        ledger.tell(new QueryOwnership("vm-1", probe.getRef()));
        return probe.expectMessageClass(OwnershipReply.OwnershipAccepted.class).view();
    }

    /** Waits for a command of this kind; repetitions of others are passed over. */
    <C extends HostCommand> C expect(TestProbe<HostCommand> agent, Class<C> kind) {
        return agent
                .fishForMessage(
                        Duration.ofSeconds(5),
                        command -> kind.isInstance(command)
                                ? FishingOutcomes.complete()
                                : FishingOutcomes.continueAndIgnore())
                .stream()
                .map(kind::cast)
                .reduce((_, last) -> last)
                .orElseThrow();
    }

    void tell(MigrationMessage report) {
        migration.tell(report);
    }

    // the happy path, step by step; each waits for the command that answers the step before

    void toSaving() {
        start();
        expect(destination, HostCommand.PrepareIncoming.class);
        tell(new IncomingReady(id, "host-2", new DataEndpoint("10.0.0.2", 7000)));
        expect(source, HostCommand.BeginSave.class);
        tell(new SaveStarted(id, "host-1"));
    }

    void toSwitching() {
        toSaving();
        tell(new ReadyToSwitchOver(id, "host-1", STATS));
        expect(source, HostCommand.SwitchOver.class);
    }

    HostCommand.RunVm toResuming() {
        toSwitching();
        tell(new IncomingLoaded(id, "host-2", 1, true));
        return expect(destination, HostCommand.RunVm.class);
    }

    void toReleasing() {
        toResuming();
        tell(new VmRunning(id, "host-2", 2, List.of(DESTINATION_TRIPLE)));
        expect(source, HostCommand.ReleaseSource.class);
    }

    MigrationView toCompleted() {
        toReleasing();
        tell(new SourceReleased(id, "host-1", STATS, DOWNTIME, List.of(SOURCE_TRIPLE), List.of()));
        return ended();
    }

    /** What the evacuation is told at the end. */
    MigrationView ended() {
        return evacuation
                .expectMessageClass(EvacuationMessage.MigrationEnded.class, Duration.ofSeconds(10))
                .view();
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
    }
}
