package io.godwit.fleet;

import io.godwit.evacuation.Leftovers;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationReply;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationRequest.ShowMigration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Looks now and then at what the hosts report, and clears away what nobody minds: a cluster singleton. It asks the ledger
 * about copies that a migration has left standing for a whole interval or has just let go, about VMs that two hosts report, and
 * about all VMs of a host that has just come (back) into sight; {@link Leftovers} decides. Nothing is durable here: what is missed is seen at
 * the next look.
 */
final class LeftoverWatch {
    /** What it hears. */
    sealed interface Command {}

    private record Look() implements Command {}

    private record Seen(FleetShown fleet) implements Command {}

    private record Decided(Suspect suspect, Optional<HostCommand> order) implements Command {}

    private record Failed(String why) implements Command {}

    /** A copy, and where it is. */
    private record Suspect(String host, VmStatus copy) {}

    private final ActorContext<Command> context;
    private final VmLifecycle vms;
    private final Asking asking;
    private final CoordinatorPorts ports;
    private final CoordinatorSettings settings;
    private Set<Suspect> inFlight = Set.of();
    private Set<String> up = Set.of();

    private LeftoverWatch(ActorContext<Command> context, CoordinatorPorts ports, CoordinatorSettings settings) {
        this.context = context;
        this.ports = ports;
        this.settings = settings;
        this.asking = new Asking(ports.system());
        this.vms = new VmLifecycle(ports, settings, asking);
    }

    /** The singleton's behaviour. */
    static Behavior<Command> create(CoordinatorPorts ports, CoordinatorSettings settings, Duration interval) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Look(), interval);
            return new LeftoverWatch(context, ports, settings).watching();
        }));
    }

    private Behavior<Command> watching() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Look() ->
                    context.pipeToSelf(
                            vms.fleet(),
                            (fleet, failure) -> failure == null ? new Seen(fleet) : new Failed(failure.toString()));
                case Seen(var fleet) ->
                    suspects(fleet)
                            .forEach(suspect -> context.pipeToSelf(
                                    order(suspect),
                                    (order, failure) -> failure == null
                                            ? new Decided(suspect, order)
                                            : new Failed(failure.toString())));
                case Decided(var suspect, var order) -> order.ifPresent(what -> tell(suspect, what));
                // seen again at the next look
                case Failed(var why) -> context.getLog().debug("leftovers: {}", why);
            }
            return Behaviors.same();
        });
    }

    private List<Suspect> suspects(FleetShown fleet) {
        List<Suspect> found = new ArrayList<>();
        Set<Suspect> migrating = new HashSet<>();
        Set<String> nowUp = new HashSet<>();
        Set<String> once = new HashSet<>();
        Set<String> twice = new HashSet<>();
        for (HostView host : fleet.hosts()) {
            if (!host.state().equals("UP") || host.inventory().isEmpty()) {
                continue;
            }
            nowUp.add(host.host());
            for (VmStatus copy : host.inventory().get().vms()) {
                if (!once.add(copy.spec().name())) {
                    twice.add(copy.spec().name());
                }
            }
        }
        for (HostView host : fleet.hosts()) {
            if (!nowUp.contains(host.host())) {
                continue;
            }
            for (VmStatus copy : host.inventory().orElseThrow().vms()) {
                Suspect suspect = new Suspect(host.host(), copy);
                boolean stays = copy.migration().isPresent() && inFlight.contains(suspect);
                if (copy.migration().isPresent()) {
                    migrating.add(suspect);
                }
                // one that was minded at the last look and is not any more may have missed how its migration ended
                boolean letGo = copy.migration().isEmpty()
                        && inFlight.stream()
                                .anyMatch(before -> before.host().equals(host.host())
                                        && before.copy()
                                                .spec()
                                                .name()
                                                .equals(copy.spec().name()));
                if (stays || letGo || twice.contains(copy.spec().name()) || !up.contains(host.host())) {
                    found.add(suspect);
                }
            }
        }
        inFlight = Set.copyOf(migrating);
        up = Set.copyOf(nowUp);
        return found;
    }

    private CompletionStage<Optional<HostCommand>> order(Suspect suspect) {
        ActorRef<HostReply> nobody = context.getSystem().ignoreRef();
        return vms.ownership(suspect.copy().spec().name())
                .thenCompose(ledger -> ended(suspect.copy().migration())
                        .thenApply(ended -> Leftovers.order(suspect.host(), suspect.copy(), ledger, ended, nobody)));
    }

    private CompletionStage<Boolean> ended(Optional<String> migration) {
        if (migration.isEmpty()) {
            return CompletableFuture.completedFuture(true);
        }
        String id = migration.get();
        return asking.<MigrationMessage, MigrationReply>ask(
                        ports.migrations().apply(id),
                        replyTo -> new ShowMigration(id, replyTo),
                        settings.askTimeout(),
                        "migration " + id)
                .thenApply(reply -> !(reply instanceof MigrationShown(var view))
                        || view.phase().ended());
    }

    private void tell(Suspect suspect, HostCommand order) {
        context.getLog()
                .warn(
                        "host {} has vm {} under epoch {}, and no migration minds it: {}",
                        suspect.host(),
                        suspect.copy().spec().name(),
                        suspect.copy().epoch(),
                        order.getClass().getSimpleName());
        asking.agent(suspect.host(), settings.askTimeout(), settings.agentPatience(), settings.agentInterval())
                .whenComplete((agent, failure) -> {
                    if (failure == null) {
                        agent.tell(order);
                    }
                });
    }
}
