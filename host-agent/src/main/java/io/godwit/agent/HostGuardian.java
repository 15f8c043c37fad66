package io.godwit.agent;

import io.godwit.agent.lease.Leasing;
import io.godwit.agent.qemu.QemuHost;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.vm.GuestLayout;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * Root of the actor system that a host's guests live in. The agent is listed in the cluster, and so can be found, only once it serves.
 *
 * <pre>testing → serving; testing → failed</pre>
 */
final class HostGuardian {
    /** What it hears. */
    sealed interface Command {}

    private record Tested(SelfTest.Result result) implements Command {}

    private final ActorContext<Command> context;
    private final HostOptions options;
    private final Drivers drivers;
    private final Optional<QemuHost> qemu;
    private final HostPorts ports;
    private final ActorRef<FleetCommand> fleet;
    private final Leasing leasing;
    private final HostSettings settings;
    private final AtomicReference<@Nullable ActorRef<HostAgent.Command>> front;
    private final CompletableFuture<Done> serving;
    private final Consumer<ActorRef<HostAgent.Command>> found;

    /**
     * @param qemu what QEMU guests need; the self-test has none
     * @param leasing how the agent that serves keeps leases; the self-test needs none
     * @param front where streams are to go, kept up to date
     * @param serving completed when the agent serves, or with why it does not
     * @param found makes the agent known in the cluster
     */
    HostGuardian(
            ActorContext<Command> context,
            HostOptions options,
            Drivers drivers,
            Optional<QemuHost> qemu,
            HostPorts ports,
            ActorRef<FleetCommand> fleet,
            Leasing leasing,
            HostSettings settings,
            AtomicReference<@Nullable ActorRef<HostAgent.Command>> front,
            CompletableFuture<Done> serving,
            Consumer<ActorRef<HostAgent.Command>> found) {
        this.context = context;
        this.options = options;
        this.drivers = drivers;
        this.qemu = qemu;
        this.ports = ports;
        this.fleet = fleet;
        this.leasing = leasing;
        this.settings = settings;
        this.front = front;
        this.serving = serving;
        this.found = found;
    }

    Behavior<Command> testing() {
        if (settings.selfTestRounds() == 0) {
            return serving();
        }
        context.spawn(
                SelfTest.create(
                        this::testAgent,
                        options.defaultDriver(),
                        settings.selfTestRounds(),
                        settings.selfTestTimeout(),
                        context.messageAdapter(SelfTest.Result.class, Tested::new)),
                "self-test");
        return Behaviors.receiveMessage(command -> switch (command) {
            case Tested(SelfTest.Result.Passed()) -> serving();
            case Tested(SelfTest.Result.NotPassed(var reason)) -> {
                serving.completeExceptionally(new IOException(reason));
                yield Behaviors.stopped();
            }
        });
    }

    private Behavior<Command> serving() {
        HostCapacity capacity = new HostCapacity(
                options.memoryBytes(), options.devices(), options.incomingMax(), options.outgoingMax());
        ActorRef<HostAgent.Command> agent = context.spawn(
                HostAgent.create(
                        UUID.randomUUID().toString(),
                        capacity,
                        drivers,
                        qemu,
                        Optional.of(leasing),
                        options.defaultDriver(),
                        ports,
                        fleet,
                        settings),
                "host-agent");
        front.set(agent);
        found.accept(agent);
        serving.complete(Done.getInstance());
        return Behaviors.ignore();
    }

    /** The last one spawned is the destination of the self-test's streams. */
    private ActorRef<HostAgent.Command> testAgent(
            ActorContext<?> parent, String id, ActorRef<MigrationMessage> reports, ActorRef<OwnershipCommand> ledger) {
        ActorRef<HostAgent.Command> agent = parent.spawn(
                HostAgent.create(
                        id,
                        new HostCapacity(64 * GuestLayout.RAM_UNIT, Map.of("gpu", 1, "vnic", 1, "nic", 1), 1, 1),
                        drivers,
                        options.defaultDriver(),
                        ports.forSelfTest(id, reports, ledger),
                        parent.getSystem().ignoreRef(),
                        settings),
                id);
        front.set(agent);
        return agent;
    }
}
