package io.godwit.fleet;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.evacuation.EvacuationEntity;
import io.godwit.evacuation.EvacuationPorts;
import io.godwit.evacuation.EvacuationSettings;
import io.godwit.evacuation.MigrationEntity;
import io.godwit.evacuation.MigrationPorts;
import io.godwit.evacuation.MigrationSettings;
import io.godwit.fleet.CoordinatorException.Unavailable;
import io.godwit.lease.LeaseEntity;
import io.godwit.lease.LeaseSettings;
import io.godwit.ownership.OwnershipEntity;
import io.godwit.ownership.OwnershipEvent;
import io.godwit.plan.DrainPlanner;
import io.godwit.plan.Planner;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.Names;
import io.godwit.proto.cluster.Belonging;
import io.godwit.proto.cluster.Quorum;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.lease.LeaseCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.sharding.typed.ClusterShardingSettings;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.persistence.jdbc.query.javadsl.JdbcReadJournal;
import org.apache.pekko.persistence.query.PersistenceQuery;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.stream.javadsl.Sink;

/**
 * One coordinator's process: the cluster node, its journal, and the actors on it. Blocking: called by an entry point, not
 * by an actor.
 */
public final class CoordinatorNode implements AutoCloseable {
    private static final long CLOSE_SECONDS_MAX = 20;

    private final ActorSystem<Void> system;
    private final Coordinator coordinator;

    private CoordinatorNode(ActorSystem<Void> system, Coordinator coordinator) {
        this.system = system;
        this.coordinator = coordinator;
    }

    /**
     * Starts a node with the real clocks and the first-fit planner; returns when the store is open and the actors are
     * started, which may be before the node is a member of a cluster that it joins.
     *
     * @throws IOException when the data folder or the store cannot be opened, or the port is taken: which, and why
     */
    public static CoordinatorNode start(NodeOptions options) throws IOException {
        return start(options, ConfigFactory.empty());
    }

    /** As {@link #start(NodeOptions)}; {@code overrides} win over every other setting. */
    public static CoordinatorNode start(NodeOptions options, Config overrides) throws IOException {
        Files.createDirectories(options.dataDir());
        Config config = config(options, overrides);
        ActorSystem<Void> system;
        try {
            system = ActorSystem.create(Behaviors.<Void>empty(), Names.SYSTEM, config);
        } catch (RuntimeException e) {
            throw new IOException(
                    "cannot start a coordinator at " + options.clusterHost() + ":" + options.clusterPort() + ": "
                            + rootMessage(e),
                    e);
        }
        try {
            CoordinatorSettings settings = CoordinatorSettings.from(config);
            Store.of(config, options.dataDir(), options.coordinators()).prepare(system, settings.schemaTimeout());
            Coordinator coordinator = startActors(system, config, settings);
            List<Address> peers = ClusterPeers.read(options.dataDir());
            system.systemActorOf(
                    ClusterPeers.keeper(options.dataDir()), "cluster-peers", DispatcherSelector.blocking());
            system.systemActorOf(
                    Downing.create(
                            new Sight.Limits(
                                    options.coordinators(), settings.hostDownAfter(), settings.coordinatorDownAfter()),
                            config.getDuration("godwit.coordinator.down-look-interval"),
                            System::nanoTime),
                    "downing",
                    Props.empty());
            system.systemActorOf(
                    Belonging.create(config.getDuration("godwit.cluster.join-within")), "belonging", Props.empty());
            join(Cluster.get(system), options, peers);
            return new CoordinatorNode(system, coordinator);
        } catch (IOException | RuntimeException e) {
            system.terminate();
            throw e instanceof IOException known
                    ? known
                    : new IOException("cannot open the journal in " + options.dataDir() + ": " + rootMessage(e), e);
        }
    }

    /**
     * Of several coordinators the first that the operator names founds the cluster, when none of the others answers within
     * seed-node-timeout, and no member becomes a full one before a majority is there. Hosts of an earlier life are asked,
     * too: they may be all that is left of the cluster.
     */
    private static void join(Cluster cluster, NodeOptions options, List<Address> peers) {
        Address self = cluster.selfMember().address();
        List<Address> seeds = new ArrayList<>();
        options.seedNodes()
                .forEach(seed -> seeds.add(AddressFromURIString.parse("pekko://" + Names.SYSTEM + "@" + seed)));
        if (seeds.isEmpty() && peers.isEmpty()) {
            cluster.manager().tell(Join.create(self));
            return;
        }
        if (seeds.isEmpty()) {
            seeds.add(self);
        }
        seeds.addAll(peers);
        cluster.manager().tell(new JoinSeedNodes(seeds));
    }

    private static int hostNodes(ActorSystem<Void> system) {
        int nodes = 0;
        for (Member member : Cluster.get(system).state().getMembers()) {
            if (member.hasRole(Names.HOST_ROLE)) {
                nodes++;
            }
        }
        return nodes;
    }

    private static Coordinator startActors(ActorSystem<Void> system, Config config, CoordinatorSettings settings) {
        ClusterSharding sharding = ClusterSharding.get(system);
        InstantSource wall = InstantSource.system();
        MonotonicClock clock = System::nanoTime;
        Planner planner = new DrainPlanner(config.getLong("godwit.evacuation.host-mbit"));
        Executor planning = system.dispatchers().lookup(DispatcherSelector.fromConfig("godwit.planning-dispatcher"));
        ActorRef<FleetCommand> fleet = ClusterSingleton.get(system)
                .init(SingletonActor.of(
                                FleetView.create(
                                        clock,
                                        () -> hostNodes(system),
                                        settings.reportFresh(),
                                        settings.hostUnseenAfter(),
                                        settings.fleetSnapshots()),
                                Names.FLEET_VIEW)
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        var migrationPorts = new MigrationPorts(
                vm -> sharding.entityRefFor(Names.OWNERSHIP, vm), id -> sharding.entityRefFor(Names.EVACUATION, id));
        var evacuationPorts = new EvacuationPorts(
                fleet,
                vm -> sharding.entityRefFor(Names.OWNERSHIP, vm),
                id -> sharding.entityRefFor(Names.MIGRATION, id),
                planner,
                planning,
                wall);
        MigrationSettings migrationSettings = MigrationSettings.from(config);
        EvacuationSettings evacuationSettings = EvacuationSettings.from(config);
        ClusterShardingSettings plain = ClusterShardingSettings.create(system).withRole(Names.COORDINATOR_ROLE);
        // a saga must go on after a restart though nobody asks for it
        ClusterShardingSettings remembered = plain.withRememberEntities(true);
        sharding.init(Entity.of(
                        Names.OWNERSHIP,
                        entity -> OwnershipEntity.create(
                                entity.getEntityId(), PersistenceId.of(Names.OWNERSHIP.name(), entity.getEntityId())))
                .withSettings(plain));
        sharding.init(Entity.of(
                        Names.MIGRATION,
                        entity -> MigrationEntity.create(
                                entity.getEntityId(),
                                PersistenceId.of(Names.MIGRATION.name(), entity.getEntityId()),
                                entity.getShard(),
                                migrationSettings,
                                migrationPorts))
                .withSettings(remembered));
        sharding.init(Entity.of(
                        Names.EVACUATION,
                        entity -> EvacuationEntity.create(
                                entity.getEntityId(),
                                PersistenceId.of(Names.EVACUATION.name(), entity.getEntityId()),
                                entity.getShard(),
                                evacuationSettings,
                                evacuationPorts))
                .withSettings(remembered));
        JdbcReadJournal journal =
                PersistenceQuery.get(system).getReadJournalFor(JdbcReadJournal.class, JdbcReadJournal.Identifier());
        ActorRef<LeaseCommand> leases = ClusterSingleton.get(system)
                .init(SingletonActor.of(LeaseEntity.create(clock, LeaseSettings.from(config)), Names.LEASES)
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        CoordinatorPorts ports = new CoordinatorPorts(
                system,
                fleet,
                leases,
                vm -> sharding.entityRefFor(Names.OWNERSHIP, vm),
                id -> sharding.entityRefFor(Names.MIGRATION, id),
                id -> sharding.entityRefFor(Names.EVACUATION, id),
                () -> read(journal.currentPersistenceIds().runWith(Sink.seq(), system)),
                vm -> read(ledgerEntries(journal, vm, system)),
                planner,
                planning,
                IdSource.of(wall, RandomGenerator.getDefault()));
        var _ = ClusterSingleton.get(system)
                .init(SingletonActor.of(LeftoverWatch.create(ports, settings, settings.leftoverInterval()), "leftovers")
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        var _ = ClusterSingleton.get(system)
                .init(SingletonActor.of(RestartWatch.create(ports, settings, clock), "restarts")
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        return new CoordinatorService(ports, settings);
    }

    /** A store that is away is no fault of ours. */
    private static <A> CompletionStage<A> read(CompletionStage<A> rows) {
        return rows.exceptionallyCompose(failure ->
                CompletableFuture.failedFuture(new Unavailable("the store cannot be read: " + rootMessage(failure))));
    }

    private static CompletionStage<List<LedgerEntry>> ledgerEntries(
            JdbcReadJournal journal, String vm, ActorSystem<?> system) {
        return journal.currentEventsByPersistenceId(
                        PersistenceId.of(Names.OWNERSHIP.name(), vm).id(), 0, Long.MAX_VALUE)
                .map(entry -> new LedgerEntry(entry.timestamp(), (OwnershipEvent) entry.event()))
                .runWith(Sink.seq(), system);
    }

    private static Config config(NodeOptions options, Config overrides) throws IOException {
        Config node = ConfigFactory.parseMap(Map.of(
                "pekko.remote.artery.canonical.hostname", options.clusterHost(),
                "pekko.remote.artery.canonical.port", options.clusterPort(),
                "pekko.cluster.role.coordinator.min-nr-of-members", Quorum.of(options.coordinators())));
        Store store = Store.of(ConfigFactory.load(overrides), options.dataDir(), options.coordinators());
        return ConfigFactory.load(overrides
                .withFallback(node)
                .withFallback(store.settings())
                .withFallback(ConfigFactory.parseResources("godwit-coordinator.conf")));
    }

    /** What the interfaces may ask. */
    public Coordinator coordinator() {
        return coordinator;
    }

    /** The actor system, for whoever serves the interfaces. */
    public ActorSystem<Void> system() {
        return system;
    }

    /** Port of the cluster connection. */
    public int clusterPort() {
        return Cluster.get(system).selfMember().address().getPort().orElse(0);
    }

    /** Completes when the actor system has ended, by {@link #close()}, a signal, or by being downed. */
    public CompletionStage<Done> ended() {
        return system.getWhenTerminated();
    }

    /** Leaves the cluster, hands its actors over, and closes the store. */
    @Override
    public void close() {
        CoordinatedShutdown.get(system).runAll(CoordinatedShutdown.unknownReason());
        try {
            system.getWhenTerminated().toCompletableFuture().get(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            system.log().warn("the coordinator did not stop in order: {}", e.toString());
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }
}
