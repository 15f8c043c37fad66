package io.godwit.agent;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.proto.Names;
import io.godwit.proto.cluster.Belonging;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's place in the cluster: an actor system of its own beside the one that the guests live in. When the cluster has
 * given the host up, this one ends and another one joins, in the same process and at the same port, and no guest notices.
 * What is said while there is none is lost, as on a bad line: everybody on a host repeats what matters.
 */
final class Uplink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Uplink.class);
    private static final long CLOSE_SECONDS_MAX = 20;

    /** Ways to the coordinators. */
    private record Ties(
            ActorSystem<?> system,
            ActorRef<ShardingEnvelope<MigrationMessage>> migrations,
            ActorRef<ShardingEnvelope<OwnershipCommand>> ledgers,
            ActorRef<FleetCommand> fleet,
            ActorRef<LeaseCommand> leases) {}

    private final Config config;
    private final String host;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile @Nullable Ties ties;
    private volatile @Nullable ActorRef<HostAgent.Command> agent;
    private volatile int port;

    private Uplink(Config config, String host, int port) {
        this.config = config;
        this.host = host;
        this.port = port;
    }

    /**
     * Joins; returns when the port is bound.
     *
     * @throws IOException when it cannot be
     */
    static Uplink open(Config config, HostOptions options) throws IOException {
        Uplink uplink = new Uplink(config, options.id(), options.clusterPort());
        try {
            Ties first = uplink.join();
            Duration pause = config.getDuration("godwit.cluster.rejoin-pause");
            Thread.ofPlatform().daemon().name("uplink").start(() -> uplink.stayJoined(first, pause));
            return uplink;
        } catch (RuntimeException e) {
            throw new IOException(
                    "cannot start the cluster node of host " + options.id() + " on " + options.address() + ":"
                            + options.clusterPort() + ": " + rootMessage(e),
                    e);
        }
    }

    /** From now on the host can be found, and commands go to {@code serving}. */
    synchronized void serve(ActorRef<HostAgent.Command> serving) {
        agent = serving;
        Ties now = ties;
        if (now != null) {
            list(now.system(), serving);
        }
    }

    /** Port of the cluster connection. */
    int port() {
        return port;
    }

    /** Takes what goes to {@code Migration[id]}. */
    Behavior<MigrationMessage> reports() {
        return Behaviors.receiveMessage(message -> {
            Ties now = ties;
            if (now != null) {
                now.migrations().tell(new ShardingEnvelope<>(message.migration(), message));
            }
            return Behaviors.same();
        });
    }

    /** Takes what goes to {@code Ownership[vm]}; {@code answerWithin} is how long an answer is waited for. */
    Behavior<OwnershipCommand> ledger(Duration answerWithin) {
        return Behaviors.receiveMessage(question -> {
            Ties now = ties;
            if (now != null) {
                // the one who asks lives in the other actor system, where no node could answer him
                AskPattern.<ShardingEnvelope<OwnershipCommand>, OwnershipReply>ask(
                                now.ledgers(),
                                replyTo -> new ShardingEnvelope<>(question.vm(), question.repliedTo(replyTo)),
                                answerWithin,
                                now.system().scheduler())
                        .whenComplete((reply, failure) -> {
                            if (failure == null) {
                                question.replyTo().tell(reply);
                            }
                        });
            }
            return Behaviors.same();
        });
    }

    /** Takes what goes to the lender of leases; {@code answerWithin} is how long an answer is waited for. */
    Behavior<LeaseCommand> leases(Duration answerWithin) {
        return Behaviors.receiveMessage(question -> {
            Ties now = ties;
            if (now != null) {
                AskPattern.<LeaseCommand, LeaseReply>ask(
                                now.leases(),
                                question::repliedTo,
                                answerWithin,
                                now.system().scheduler())
                        .whenComplete((reply, failure) -> {
                            if (failure == null) {
                                question.replyTo().tell(reply);
                            }
                        });
            }
            return Behaviors.same();
        });
    }

    /** Takes what goes to FleetView. */
    Behavior<FleetCommand> fleet() {
        return Behaviors.receiveMessage(command -> {
            Ties now = ties;
            if (now != null) {
                now.fleet().tell(command);
            }
            return Behaviors.same();
        });
    }

    /** Leaves. Nothing can be said any more. */
    @Override
    public void close() {
        closing.countDown();
        Ties now = ties;
        if (now != null) {
            now.system().terminate();
            try {
                now.system().getWhenTerminated().toCompletableFuture().get(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
            } catch (Exception e) {
                LOG.warn("leaving the cluster: {}", e.toString());
            }
        }
    }

    /** A new actor system, at the port that the first one got. */
    private synchronized Ties join() {
        ActorSystem<Void> system = ActorSystem.create(
                Behaviors.empty(),
                Names.SYSTEM,
                ConfigFactory.parseString("pekko.remote.artery.canonical.port = " + port)
                        .withFallback(config));
        port = Cluster.get(system).selfMember().address().getPort().orElse(port);
        system.systemActorOf(
                Belonging.create(config.getDuration("godwit.cluster.join-within")), "belonging", Props.empty());
        Ties joined = new Ties(
                system,
                region(system, Names.MIGRATION),
                region(system, Names.OWNERSHIP),
                singleton(system, Behaviors.<FleetCommand>empty(), Names.FLEET_VIEW),
                singleton(system, Behaviors.<LeaseCommand>empty(), Names.LEASES));
        ties = joined;
        if (agent != null) {
            list(system, agent);
        }
        return joined;
    }

    private void stayJoined(Ties first, Duration pause) {
        Ties now = first;
        try {
            while (true) {
                now.system().getWhenTerminated().toCompletableFuture().join();
                ties = null;
                if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
                LOG.warn("host {}: out of the cluster; its guests run on, and it joins anew", host);
                now = joinAtLast(now, pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The port may be held for a moment by whoever took it meanwhile. */
    private Ties joinAtLast(Ties before, Duration pause) throws InterruptedException {
        while (true) {
            try {
                return join();
            } catch (RuntimeException e) {
                LOG.error("host {} cannot join the cluster at port {}: {}", host, port, rootMessage(e));
                if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                    return before;
                }
            }
        }
    }

    private void list(ActorSystem<?> system, ActorRef<HostAgent.Command> serving) {
        ActorRef<HostCommand> entrance = system.systemActorOf(
                Behaviors.receiveMessage(command -> {
                    serving.tell(new HostAgent.Asked(command));
                    return Behaviors.same();
                }),
                "front",
                Props.empty());
        system.receptionist().tell(Receptionist.register(Names.agentOf(host), entrance));
    }

    private static <M> ActorRef<ShardingEnvelope<M>> region(ActorSystem<?> system, EntityTypeKey<M> key) {
        // hosts hold no shards: on a node without the coordinator role this starts a proxy
        return ClusterSharding.get(system)
                .init(Entity.of(key, _ -> Behaviors.<M>empty()).withRole(Names.COORDINATOR_ROLE));
    }

    private static <M> ActorRef<M> singleton(ActorSystem<?> system, Behavior<M> none, String name) {
        // as with shards: this starts a proxy
        return ClusterSingleton.get(system)
                .init(SingletonActor.of(none, name)
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
    }

    private static String rootMessage(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}
