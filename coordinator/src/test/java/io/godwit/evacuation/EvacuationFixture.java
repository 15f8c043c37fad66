package io.godwit.evacuation;

import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.plan.Planner;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.evacuation.EvacuationMessage.MigrationEnded;
import io.godwit.proto.evacuation.EvacuationMessage.ShowEvacuation;
import io.godwit.proto.evacuation.EvacuationMessage.StartEvacuation;
import io.godwit.proto.evacuation.EvacuationReply;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationShown;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.ShowFleet;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipView;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import org.apache.pekko.persistence.typed.PersistenceId;

/**
 * One evacuation of host-1, e-1, over the real entity with a journal in memory. The test plays the fleet, the ledgers and the
 * migrations, which are what has been asked to start so far.
 */
final class EvacuationFixture implements AutoCloseable {
    private static final AtomicInteger SYSTEMS = new AtomicInteger();

    final ActorTestKit kit;
    final TestProbe<EvacuationReply> client;
    final Map<String, StartMigration> started = new ConcurrentHashMap<>();
    private final AtomicInteger looks = new AtomicInteger();
    private final TestProbe<ShardCommand> shard;
    private final Map<String, String> owners = new ConcurrentHashMap<>();
    private final ExecutorService planning = Executors.newVirtualThreadPerTaskExecutor();
    private final EvacuationPorts ports;
    private volatile FleetShown shown;
    private ActorRef<EvacuationMessage> evacuation;

    EvacuationFixture(Planner planner, FleetShown first) {
        var config = ConfigFactory.parseString("""
                        pekko.actor.serialize-messages = on
                        godwit.evacuation.look-interval = 50 ms
                        """)
                .withFallback(PersistenceTestKitPlugin.getInstance().config())
                .withFallback(PersistenceTestKitSnapshotPlugin.config())
                .withFallback(ConfigFactory.parseString("pekko.persistence.testkit.events.serialize = on"))
                .withFallback(ConfigFactory.load())
                .resolve();
        kit = ActorTestKit.create("evacuation-" + SYSTEMS.incrementAndGet(), config);
        client = kit.createTestProbe();
        shard = kit.createTestProbe();
        shown = first;
        own(first);
        ActorRef<FleetCommand> fleet = kit.spawn(Behaviors.receiveMessage(command -> {
            if (command instanceof ShowFleet(var replyTo)) {
                replyTo.tell(shown);
                looks.incrementAndGet();
            }
            return Behaviors.same();
        }));
        ActorRef<OwnershipCommand> ledgers = kit.spawn(Behaviors.receiveMessage(command -> {
            if (command instanceof QueryOwnership(var vm, var replyTo)) {
                replyTo.tell(new OwnershipAccepted(new OwnershipView(
                        vm, Optional.ofNullable(owners.get(vm)), 7, Optional.empty(), Optional.empty())));
            }
            return Behaviors.same();
        }));
        ActorRef<MigrationMessage> migrations = kit.spawn(Behaviors.receiveMessage(command -> {
            if (command instanceof StartMigration start) {
                started.put(start.migration(), start);
            }
            return Behaviors.same();
        }));
        ports = new EvacuationPorts(
                fleet, _ -> ledgers, _ -> migrations, planner, planning, InstantSource.fixed(Instant.ofEpochMilli(5)));
        evacuation = spawn();
    }

    private ActorRef<EvacuationMessage> spawn() {
        return kit.spawn(EvacuationEntity.create(
                "e-1",
                PersistenceId.ofUniqueId("Evacuation|e-1"),
                shard.getRef(),
                EvacuationSettings.from(kit.system().settings().config()),
                ports));
    }

    private void own(FleetShown fleet) {
        fleet.vms()
                .forEach(vm -> vm.host().ifPresent(host -> owners.put(vm.spec().name(), host)));
    }

    /** From now on the fleet looks like this, and the ledgers agree. */
    void show(FleetShown now) {
        own(now);
        shown = now;
    }

    /** From now on the fleet looks like this, and the evacuation has seen it and thought about it. */
    void showFor(FleetShown now, int times) {
        show(now);
        int before = looks.get();
        await().until(() -> looks.get() >= before + times);
    }

    /** The entity dies, and another one recovers from the journal. */
    void restart() {
        kit.stop(evacuation);
        started.clear();
        evacuation = spawn();
    }

    EvacuationView start() {
        return start(true);
    }

    /** @param makeRoom whether others may be moved */
    EvacuationView start(boolean makeRoom) {
        evacuation.tell(new StartEvacuation(
                "e-1", List.of("host-1"), new MigrationOptions(300, true, 0, 20_000), makeRoom, client.getRef()));
        return client.expectMessageClass(EvacuationShown.class).view();
    }

    EvacuationView view() {
        evacuation.tell(new ShowEvacuation("e-1", client.getRef()));
        return client.expectMessageClass(EvacuationShown.class).view();
    }

    /** Waits until the evacuation looks like this. */
    EvacuationView until(Predicate<EvacuationView> wanted) {
        return await().until(this::view, wanted);
    }

    /** Waits until the row of {@code vm} looks like this. */
    VmRow untilRow(String vm, Predicate<VmRow> wanted) {
        return row(until(view -> view.vms().stream().anyMatch(row -> row.vm().equals(vm) && wanted.test(row))), vm);
    }

    static VmRow row(EvacuationView view, String vm) {
        return view.vms().stream()
                .filter(row -> row.vm().equals(vm))
                .findFirst()
                .orElseThrow();
    }

    /** Waits until a migration of {@code vm} has been asked for with that id. */
    StartMigration migration(String id) {
        return await().until(() -> started.get(id), asked -> asked != null);
    }

    /** The migration {@code id} ends. */
    void ended(String id, MigrationPhase phase, Optional<String> reason) {
        StartMigration start = migration(id);
        evacuation.tell(new MigrationEnded(
                "e-1",
                new MigrationView(
                        id,
                        start.spec().name(),
                        start.from(),
                        start.to(),
                        "soft",
                        phase,
                        reason,
                        false,
                        1,
                        List.of(),
                        SaveStats.NONE,
                        Downtime.NONE,
                        false,
                        0,
                        false,
                        SaveLimits.NONE,
                        List.of(),
                        Optional.empty())));
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
        planning.close();
    }
}
