package io.godwit.evacuation;

import io.godwit.evacuation.EvacuationEvent.EvacuationRequested;
import io.godwit.evacuation.EvacuationState.Asked;
import io.godwit.evacuation.EvacuationState.Ended;
import io.godwit.evacuation.EvacuationState.Planning;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.evacuation.EvacuationState.Unasked;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.evacuation.EvacuationMessage.MigrationEnded;
import io.godwit.proto.evacuation.EvacuationMessage.ShowEvacuation;
import io.godwit.proto.evacuation.EvacuationMessage.StartEvacuation;
import io.godwit.proto.evacuation.EvacuationReply;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationRefused;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationShown;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.FleetCommand.CordonHost;
import io.godwit.proto.fleet.FleetCommand.ShowFleet;
import io.godwit.proto.fleet.FleetReply;
import io.godwit.proto.fleet.FleetReply.FleetChanged;
import io.godwit.proto.fleet.FleetReply.FleetRefused;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.migration.MigrationReply;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * {@code Evacuation[id]}: empties hosts. {@link EvacuationRules} decides; this class looks at the fleet and at its running
 * migrations again and again, persists what follows, and starts what is due. Plans are made in another thread; one that was
 * overtaken by events is dropped and made anew. Starting a migration and asking how it stands
 * are the same message, so a coordinator that dies loses nothing.
 */
public final class EvacuationEntity
        extends EventSourcedBehaviorWithEnforcedReplies<EvacuationEntity.Command, EvacuationEvent, EvacuationState> {

    /** All that the entity handles. */
    sealed interface Command extends NoSerializationVerificationNeeded {}

    private record Told(EvacuationMessage message) implements Command {}

    private record FleetAnswered(FleetReply reply) implements Command {}

    private record MigrationAnswered(MigrationReply reply) implements Command {}

    private record LedgerAnswered(OwnershipReply reply) implements Command {}

    /** A plan that was made from {@code from}. */
    private record Planned(EvacuationState from, List<EvacuationEvent> events) implements Command {}

    private record PlanFailed(Throwable why) implements Command {}

    private record Look() implements Command {}

    private record Leave() implements Command {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final ActorRef<ShardCommand> shard;
    private final EvacuationSettings settings;
    private final EvacuationPorts ports;
    private final EvacuationRules rules;
    private final DrainPlans plans;
    private final String id;
    private final ActorRef<FleetReply> fleetAnswers;
    private final ActorRef<MigrationReply> migrationAnswers;
    private final ActorRef<OwnershipReply> ledgerAnswers;
    private final List<StartEvacuation> unchecked = new ArrayList<>();
    private Optional<FleetIndex> fleet = Optional.empty();
    private boolean thinking; // one plan at a time: a second one would give the same room away again

    private EvacuationEntity(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            String id,
            PersistenceId persistenceId,
            ActorRef<ShardCommand> shard,
            EvacuationSettings settings,
            EvacuationPorts ports) {
        super(persistenceId);
        this.context = context;
        this.timers = timers;
        this.id = id;
        this.shard = shard;
        this.settings = settings;
        this.ports = ports;
        this.rules = new EvacuationRules(settings.policies(), settings.attemptsMax());
        this.plans = new DrainPlans(ports.planner(), settings.policies());
        this.fleetAnswers = context.messageAdapter(FleetReply.class, FleetAnswered::new);
        this.migrationAnswers = context.messageAdapter(MigrationReply.class, MigrationAnswered::new);
        this.ledgerAnswers = context.messageAdapter(OwnershipReply.class, LedgerAnswered::new);
    }

    /** The evacuation {@code id}; {@code shard} is told when it may leave memory. */
    public static Behavior<EvacuationMessage> create(
            String id,
            PersistenceId persistenceId,
            ActorRef<ShardCommand> shard,
            EvacuationSettings settings,
            EvacuationPorts ports) {
        Behavior<Command> inner = Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new EvacuationEntity(context, timers, id, persistenceId, shard, settings, ports)));
        return Behaviors.transformMessages(
                EvacuationMessage.class, inner, builder -> builder.match(EvacuationMessage.class, Told::new));
    }

    @Override
    public EvacuationState emptyState() {
        return new Unasked(id);
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return settings.snapshots().criteria();
    }

    @Override
    public EventHandler<EvacuationState, EvacuationEvent> eventHandler() {
        return EvacuationState::apply;
    }

    @Override
    public SignalHandler<EvacuationState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::takeUp)
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, EvacuationEvent, EvacuationState> commandHandler() {
        return (state, command) -> switch (command) {
            case Told(var message) -> told(state, message);
            case FleetAnswered(var reply) -> fleetAnswered(state, reply);
            case MigrationAnswered(MigrationShown(var view))
            when state instanceof Running running -> persist(rules.onMigration(running, view));
            case MigrationAnswered(MigrationRefused(var migration, var reason))
            when state instanceof Running running -> persist(EvacuationRules.onRefused(running, migration, reason));
            case LedgerAnswered(var reply)
            when state instanceof Running running -> persist(ledgerAnswered(running, reply.view()));
            case Planned(var from, var events) -> planned(state, from, events);
            case PlanFailed(var why) -> {
                thinking = false;
                context.getLog().error("evacuation {}: no plan could be made; it is tried again", id, why);
                yield Effect().noReply();
            }
            case Look() -> {
                look(state);
                yield Effect().noReply();
            }
            case Leave() -> {
                shard.tell(new Passivate<>(context.getSelf()));
                yield Effect().noReply();
            }
            // an answer to a question of a state that has been left
            case MigrationAnswered _, LedgerAnswered _ -> Effect().noReply();
        };
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> told(EvacuationState state, EvacuationMessage message) {
        boolean foreign = !message.evacuation().equals(id);
        String refusal = "this is evacuation " + id + ", the request is for " + message.evacuation();
        return switch (message) {
            case StartEvacuation start
            when foreign -> Effect().reply(start.replyTo(), new EvacuationRefused(id, refusal));
            case ShowEvacuation show when foreign -> Effect().reply(show.replyTo(), new EvacuationRefused(id, refusal));
            case StartEvacuation start
            when state instanceof Unasked -> {
                // whether the hosts exist only the fleet can say
                unchecked.add(start);
                timers.cancel("leave");
                timers.startTimerWithFixedDelay("look", new Look(), settings.lookInterval());
                look(state);
                yield Effect().noReply();
            }
            case StartEvacuation start -> Effect().reply(start.replyTo(), show(state));
            case ShowEvacuation show -> Effect().reply(show.replyTo(), show(state));
            case MigrationEnded ended
            when state instanceof Running running && !foreign -> persist(rules.onMigration(running, ended.view()));
            case MigrationEnded _ -> Effect().noReply();
        };
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> fleetAnswered(EvacuationState state, FleetReply reply) {
        return switch (reply) {
            case FleetChanged() -> {
                look(state);
                yield Effect().noReply();
            }
            case FleetRefused(var reason) -> {
                context.getLog().warn("evacuation {}: the fleet refused: {}", id, reason);
                yield Effect().noReply();
            }
            case FleetShown shown -> fleetShown(state, shown);
        };
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> fleetShown(EvacuationState state, FleetShown shown) {
        FleetIndex index = FleetIndex.of(shown);
        fleet = Optional.of(index);
        return switch (state) {
            case Unasked _ -> check(index);
            case Planning planning
            when planning.job().hosts().stream().anyMatch(index::awaited) ->
                Effect().noReply();
            case Planning planning -> {
                List<String> open = EvacuationRules.uncordoned(planning.job(), shown);
                open.forEach(host -> ports.fleet().tell(new CordonHost(host, true, fleetAnswers)));
                if (open.isEmpty()) {
                    think(planning, () -> plans.plan(planning, shown));
                }
                yield Effect().noReply();
            }
            case Running running -> {
                List<EvacuationEvent> events =
                        EvacuationRules.onFleet(running, index, ports.wall().millis());
                if (events.isEmpty()) {
                    replan(running, index);
                    new Turns(running, index)
                            .startable()
                            .forEach(row ->
                                    ports.ledgers().apply(row.vm()).tell(new QueryOwnership(row.vm(), ledgerAnswers)));
                }
                yield persist(events);
            }
            case Ended _ -> Effect().noReply();
        };
    }

    private void replan(Running running, FleetIndex index) {
        if (!EvacuationRules.homeless(running, index).isEmpty()) {
            think(running, () -> plans.again(running, index.shown()));
        } else if (EvacuationRules.wantsMore(running, index)) {
            think(running, () -> plans.plan(running, index.shown()));
        }
    }

    /** Plans elsewhere, while this entity goes on with what is planned and answers who asks. */
    private void think(EvacuationState from, Supplier<List<EvacuationEvent>> plan) {
        if (thinking) {
            return;
        }
        thinking = true;
        context.pipeToSelf(
                CompletableFuture.supplyAsync(plan, ports.planning()),
                (events, failure) -> failure == null ? new Planned(from, events) : new PlanFailed(failure));
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> planned(
            EvacuationState state, EvacuationState from, List<EvacuationEvent> events) {
        thinking = false;
        if (DrainPlans.stillFits(from, state, events)) {
            return persist(events);
        }
        context.getLog().info("evacuation {}: a plan was overtaken by events; it is made anew", id);
        look(state);
        return Effect().noReply();
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> check(FleetIndex index) {
        if (unchecked.isEmpty()) {
            return Effect().noReply();
        }
        StartEvacuation first = unchecked.getFirst();
        Optional<String> fault = rules.fault(first.hosts(), first.options(), index.shown());
        if (fault.isPresent() && first.hosts().stream().anyMatch(index::awaited)) {
            return Effect().noReply(); // its host may be about to report
        }
        List<StartEvacuation> asked = List.copyOf(unchecked);
        unchecked.clear();
        if (fault.isPresent()) {
            timers.cancel("look");
            timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
            asked.forEach(start -> start.replyTo().tell(new EvacuationRefused(id, fault.get())));
            return Effect().noReply();
        }
        return Effect()
                .persist((EvacuationEvent) new EvacuationRequested(
                        first.hosts(),
                        first.options(),
                        first.makeRoom(),
                        ports.wall().millis()))
                .thenRun(this::takeUp)
                .thenRun(after -> asked.forEach(start -> start.replyTo().tell(show(after))))
                .thenNoReply();
    }

    /** Starts only what is still due: limits may have been used up by an answer that came before this one. */
    private List<EvacuationEvent> ledgerAnswered(Running state, OwnershipView ledger) {
        return fleet.stream()
                .flatMap(index -> new Turns(state, index)
                        .startable().stream()
                                .filter(row -> row.vm().equals(ledger.vm()))
                                .flatMap(row -> EvacuationRules.onLedger(row, state.job(), ledger, index).stream()))
                .toList();
    }

    private ReplyEffect<EvacuationEvent, EvacuationState> persist(List<EvacuationEvent> events) {
        return events.isEmpty()
                ? Effect().noReply()
                : Effect().persist(events).thenRun(this::changed).thenNoReply();
    }

    private EvacuationReply show(EvacuationState state) {
        return switch (state) {
            case Unasked _ -> {
                timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
                yield new EvacuationRefused(id, "no evacuation '" + id + "'");
            }
            case Asked asked -> {
                EvacuationView view = EvacuationState.view(asked, ports.wall().millis());
                yield new EvacuationShown(
                        asked instanceof Running running
                                ? fleet.map(index -> new Turns(running, index).explained(view))
                                        .orElse(view)
                                : view);
            }
        };
    }

    private void takeUp(EvacuationState state) {
        if (state instanceof Planning || state instanceof Running) {
            context.getLog().info("evacuation {}: carried on here", id);
            timers.startTimerWithFixedDelay("look", new Look(), settings.lookInterval());
        }
        changed(state);
    }

    private void changed(EvacuationState state) {
        switch (state) {
            case Unasked _ -> timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
            case Ended ended -> {
                context.getLog().info("evacuation {} ended, completed: {}", id, ended.completed());
                timers.cancelAll();
                timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
            }
            case Planning _, Running _ -> look(state);
        }
    }

    private void look(EvacuationState state) {
        if (state instanceof Ended) {
            return;
        }
        ports.fleet().tell(new ShowFleet(fleetAnswers));
        if (state instanceof Running running) {
            running.rows().stream()
                    .filter(row -> row.state() == RowState.MIGRATING)
                    .forEach(row -> startOrAsk(running, row));
        }
    }

    private void startOrAsk(Running state, EvacuationRow row) {
        String migration = row.migrations().getLast();
        ports.migrations()
                .apply(migration)
                .tell(new StartMigration(
                        migration,
                        row.spec(),
                        row.from(),
                        row.to().orElseThrow(),
                        row.epoch(),
                        state.job().options(),
                        Optional.of(id),
                        migrationAnswers));
    }
}
