package io.godwit.fleet;

import io.godwit.fleet.FleetEvent.HostCordoned;
import io.godwit.fleet.FleetEvent.VmDeregistered;
import io.godwit.fleet.FleetEvent.VmRegistered;
import io.godwit.fleet.HostRecords.Listed;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.Names;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.CordonHost;
import io.godwit.proto.fleet.FleetCommand.DeregisterVm;
import io.godwit.proto.fleet.FleetCommand.NoteVms;
import io.godwit.proto.fleet.FleetCommand.RegisterVm;
import io.godwit.proto.fleet.FleetCommand.ReportHost;
import io.godwit.proto.fleet.FleetCommand.ShowFleet;
import io.godwit.proto.fleet.FleetReply.FleetChanged;
import io.godwit.proto.fleet.FleetReply.FleetRefused;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.snapshot.SnapshotSettings;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntSupplier;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/**
 * The fleet at one place, a cluster singleton. Cordons and registered VMs are durable; what hosts report is not, they
 * report again. Whether a host is up comes from its agent's listing in the receptionist: unreachable ones are listed
 * apart, downed ones no more.
 */
public final class FleetView
        extends EventSourcedBehaviorWithEnforcedReplies<FleetView.Command, FleetEvent, FleetState> {
    /** Its persistence id. */
    public static final PersistenceId PERSISTENCE_ID = PersistenceId.ofUniqueId("FleetView");

    // after a failure of the store; the bounds are Pekko's own for sharding
    private static final Duration RESTART_MIN = Duration.ofSeconds(1);
    private static final Duration RESTART_MAX = Duration.ofSeconds(10);
    private static final double RESTART_JITTER = 0.1;

    /** All that the singleton handles. */
    sealed interface Command extends NoSerializationVerificationNeeded {}

    private record Told(FleetCommand command) implements Command {}

    private record AgentListed(Receptionist.Listing listing) implements Command {}

    private final ActorContext<Command> context;
    private final MonotonicClock clock;
    private final IntSupplier hostNodes;
    private final Duration unseenAfter;
    private final long startNanos;
    private final HostRecords records;
    private final SnapshotSettings snapshots;
    private final ActorRef<Receptionist.Listing> listings;
    private final Set<String> subscribed = new HashSet<>();

    private FleetView(
            ActorContext<Command> context,
            MonotonicClock clock,
            IntSupplier hostNodes,
            Duration reportFresh,
            Duration unseenAfter,
            SnapshotSettings snapshots) {
        super(PERSISTENCE_ID, SupervisorStrategy.restartWithBackoff(RESTART_MIN, RESTART_MAX, RESTART_JITTER));
        this.context = context;
        this.clock = clock;
        this.hostNodes = hostNodes;
        this.unseenAfter = unseenAfter;
        this.startNanos = clock.nanoTime();
        this.snapshots = snapshots;
        this.records = new HostRecords(reportFresh.toNanos());
        this.listings = context.messageAdapter(Receptionist.Listing.class, AgentListed::new);
    }

    /**
     * The singleton's behaviour.
     *
     * @param hostNodes how many nodes of hosts the cluster has
     * @param reportFresh a report no older than this shows by itself that its host is up
     * @param unseenAfter hosts that have not reported after this are not waited for
     * @param snapshots of the part that is durable
     */
    public static Behavior<FleetCommand> create(
            MonotonicClock clock,
            IntSupplier hostNodes,
            Duration reportFresh,
            Duration unseenAfter,
            SnapshotSettings snapshots) {
        Behavior<Command> inner = Behaviors.setup(
                context -> new FleetView(context, clock, hostNodes, reportFresh, unseenAfter, snapshots));
        return Behaviors.transformMessages(
                FleetCommand.class, inner, builder -> builder.match(FleetCommand.class, Told::new));
    }

    @Override
    public FleetState emptyState() {
        return FleetState.EMPTY;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return snapshots.criteria();
    }

    @Override
    public EventHandler<FleetState, FleetEvent> eventHandler() {
        return FleetState::apply;
    }

    @Override
    public CommandHandlerWithReply<Command, FleetEvent, FleetState> commandHandler() {
        return (state, command) -> switch (command) {
            case Told(var told) -> told(state, told);
            case AgentListed(var listing) -> {
                subscribed.forEach(host -> listed(host, listing));
                yield Effect().noReply();
            }
        };
    }

    private ReplyEffect<FleetEvent, FleetState> told(FleetState state, FleetCommand command) {
        return switch (command) {
            case ReportHost(var inventory) -> report(inventory);
            case ShowFleet(var replyTo) -> Effect().reply(replyTo, show(state));
            case NoteVms(var notes) -> {
                records.note(notes);
                yield Effect().noReply();
            }
            case CordonHost cordon -> cordon(state, cordon);
            case RegisterVm(var spec, var replyTo) ->
                state.vm(spec.name()).isPresent()
                        ? Effect().reply(replyTo, new FleetRefused("there is a vm '" + spec.name() + "' already"))
                        : Effect()
                                .persist((FleetEvent) new VmRegistered(spec))
                                .thenReply(replyTo, _ -> new FleetChanged());
            case DeregisterVm(var vm, var replyTo) -> {
                records.forget(vm);
                yield state.vm(vm).isEmpty()
                        ? Effect().reply(replyTo, new FleetChanged())
                        : Effect()
                                .persist((FleetEvent) new VmDeregistered(vm))
                                .thenReply(replyTo, _ -> new FleetChanged());
            }
        };
    }

    private FleetShown show(FleetState state) {
        long now = clock.nanoTime();
        FleetShown shown = records.show(state, now);
        return now - startNanos < unseenAfter.toNanos() && awaits(shown)
                ? new FleetShown(shown.hosts(), shown.vms(), true)
                : shown;
    }

    /** Whether a host seems to be there that this incarnation has not heard: its node, or a VM that nobody else has. */
    private boolean awaits(FleetShown shown) {
        return records.heard() < hostNodes.getAsInt()
                || shown.vms().stream().anyMatch(vm -> vm.state().equals("MISSING"));
    }

    private ReplyEffect<FleetEvent, FleetState> cordon(FleetState state, CordonHost cordon) {
        boolean now = state.cordoned().contains(cordon.host());
        if (!now && !records.knows(cordon.host())) {
            return Effect().reply(cordon.replyTo(), new FleetRefused("no host '" + cordon.host() + "'"));
        }
        return now == cordon.cordoned()
                ? Effect().reply(cordon.replyTo(), new FleetChanged())
                : Effect()
                        .persist((FleetEvent) new HostCordoned(cordon.host(), cordon.cordoned()))
                        .thenReply(cordon.replyTo(), _ -> new FleetChanged());
    }

    private ReplyEffect<FleetEvent, FleetState> report(HostInventory inventory) {
        if (!records.report(inventory, clock.nanoTime())) {
            context.getLog()
                    .debug("host {}: report {} is older than the one known", inventory.host(), inventory.sequence());
        }
        if (subscribed.add(inventory.host())) {
            context.getSystem().receptionist().tell(Receptionist.subscribe(Names.agentOf(inventory.host()), listings));
        }
        return Effect().noReply();
    }

    private void listed(String host, Receptionist.Listing listing) {
        ServiceKey<HostCommand> key = Names.agentOf(host);
        if (!listing.isForKey(key)) {
            return;
        }
        Listed now = !listing.getServiceInstances(key).isEmpty()
                ? Listed.REACHABLE
                : listing.getAllServiceInstances(key).isEmpty() ? Listed.ABSENT : Listed.UNREACHABLE;
        context.getLog().info("host {}: agent is {}", host, now);
        records.listed(host, now);
    }
}
