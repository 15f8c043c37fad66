package io.godwit.evacuation;

import io.godwit.convergence.Climbing;
import io.godwit.convergence.Ladder;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.evacuation.MigrationState.Unasked;
import io.godwit.proto.Names;
import io.godwit.proto.evacuation.EvacuationMessage.MigrationEnded;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationReply;
import io.godwit.proto.migration.MigrationReply.MigrationHistoryShown;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationRequest;
import io.godwit.proto.migration.MigrationRequest.AdjustMigration;
import io.godwit.proto.migration.MigrationRequest.CancelMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigrationHistory;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipReply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.Passivate;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * {@code Migration[id]}: moves one VM. {@link MigrationRules} decides, {@link MigrationLog} changes the state, {@link
 * MigrationDuties} says what to do in it; this class only persists first and acts then, repeats what has not been
 * answered, and watches the clock and the hosts' agents.
 */
public final class MigrationEntity
        extends EventSourcedBehaviorWithEnforcedReplies<MigrationEntity.Command, MigrationEvent, MigrationState> {

    /** All that the entity handles. */
    sealed interface Command extends NoSerializationVerificationNeeded {}

    private record Heard(MigrationMessage message) implements Command {}

    private record LedgerAnswered(OwnershipReply reply) implements Command {}

    private record AgentListed(Receptionist.Listing listing) implements Command {}

    private record AgentOverdue(String host) implements Command {}

    private record PhaseOverdue(String state, String reason) implements Command {}

    private record Again() implements Command {}

    private record Leave() implements Command {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final ActorRef<ShardCommand> shard;
    private final MigrationSettings settings;
    private final MigrationPorts ports;
    private final String id;
    private final ActorRef<OwnershipReply> ledgerAnswers;
    private final ActorRef<Receptionist.Listing> listings;
    private final Map<String, AgentWatch> agents = new HashMap<>();
    private final List<StateTriple> liveTriples = new ArrayList<>();
    private Optional<Progress> progress = Optional.empty();
    private Optional<Climbing.Watch> held = Optional.empty();
    private @Nullable Climbing climbing;
    private String watchedState = "";
    private int refusals;

    private MigrationEntity(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            String id,
            PersistenceId persistenceId,
            ActorRef<ShardCommand> shard,
            MigrationSettings settings,
            MigrationPorts ports) {
        super(persistenceId);
        this.context = context;
        this.timers = timers;
        this.id = id;
        this.shard = shard;
        this.settings = settings;
        this.ports = ports;
        this.ledgerAnswers = context.messageAdapter(OwnershipReply.class, LedgerAnswered::new);
        this.listings = context.messageAdapter(Receptionist.Listing.class, AgentListed::new);
    }

    /** The migration {@code id}; {@code shard} is told when it may leave memory. */
    public static Behavior<MigrationMessage> create(
            String id,
            PersistenceId persistenceId,
            ActorRef<ShardCommand> shard,
            MigrationSettings settings,
            MigrationPorts ports) {
        Behavior<Command> inner = Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new MigrationEntity(context, timers, id, persistenceId, shard, settings, ports)));
        return Behaviors.transformMessages(
                MigrationMessage.class, inner, builder -> builder.match(MigrationMessage.class, Heard::new));
    }

    @Override
    public MigrationState emptyState() {
        return new Unasked(id);
    }

    /**
     * When it is over, and now and then while nobody waits for it: what an event leads to waits for the snapshot, and in the
     * switchover that would be part of the blackout.
     */
    @Override
    public boolean shouldSnapshot(MigrationState state, MigrationEvent event, long sequenceNumber) {
        boolean precopies = state instanceof MigrationState.Preparing || state instanceof MigrationState.Saving;
        return state instanceof Ended || (precopies && sequenceNumber % settings.snapshotEvery() == 0);
    }

    @Override
    public EventHandler<MigrationState, MigrationEvent> eventHandler() {
        return MigrationLog::apply;
    }

    @Override
    public SignalHandler<MigrationState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::takeUp)
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, MigrationEvent, MigrationState> commandHandler() {
        return (state, command) -> switch (command) {
            case Heard(var message) -> heard(state, message);
            case LedgerAnswered(var reply)
            when state instanceof Asked asked -> persist(asked, MigrationRules.onLedger(asked, reply));
            case AgentListed(var listing) when state instanceof Asked asked -> listed(asked, listing);
            case AgentOverdue(var host) when state instanceof Asked asked -> overdueAgent(asked, host);
            case PhaseOverdue(var name, var reason)
            when state instanceof Asked asked && name.equals(nameOf(state)) ->
                persist(asked, MigrationRules.onOverdue(asked, reason));
            case Again() -> {
                carryOut(state);
                MigrationDuties.reminder(state).ifPresent(this::tell);
                yield Effect().noReply();
            }
            case Leave() -> {
                shard.tell(new Passivate<>(context.getSelf()));
                yield Effect().noReply();
            }
            // a timer or listing of a state that has been left
            case LedgerAnswered _, AgentListed _, AgentOverdue _, PhaseOverdue _ ->
                Effect().noReply();
        };
    }

    private ReplyEffect<MigrationEvent, MigrationState> heard(MigrationState state, MigrationMessage message) {
        if (!message.migration().equals(id)) {
            return foreign(message);
        }
        return switch (message) {
            case StartMigration start -> start(state, start);
            case CancelMigration cancel -> cancel(state, cancel);
            case ShowMigration show -> Effect().reply(show.replyTo(), show(state));
            case AdjustMigration adjust -> adjust(state, adjust);
            case ShowMigrationHistory show ->
                Effect()
                        .reply(
                                show.replyTo(),
                                state instanceof Asked asked
                                        ? new MigrationHistoryShown(
                                                view(asked), asked.trail().devices())
                                        : show(state));
            case SaveProgress report -> progressed(state, report);
            case CommandRefused refused
            when state instanceof Asked asked -> {
                refusals++;
                context.getLog().warn("migration {}: {}", id, refused);
                yield persist(asked, MigrationRules.onRefused(asked, refused, refusals >= settings.refusalsMax()));
            }
            case MigrationReport report
            when state instanceof Asked asked -> persist(asked, MigrationRules.onReport(asked, report));
            case MigrationReport report -> {
                context.getLog().warn("migration {}: report for a migration nobody asked for: {}", id, report);
                yield Effect().noReply();
            }
        };
    }

    private ReplyEffect<MigrationEvent, MigrationState> foreign(MigrationMessage message) {
        context.getLog().error("migration {}: message for another migration: {}", id, message);
        return message instanceof MigrationRequest request
                ? Effect()
                        .reply(
                                replyTo(request),
                                new MigrationRefused(
                                        id, "this is migration " + id + ", the request is for " + request.migration()))
                : Effect().noReply();
    }

    private static ActorRef<MigrationReply> replyTo(MigrationRequest request) {
        return switch (request) {
            case StartMigration start -> start.replyTo();
            case CancelMigration cancel -> cancel.replyTo();
            case ShowMigration show -> show.replyTo();
            case AdjustMigration adjust -> adjust.replyTo();
            case ShowMigrationHistory show -> show.replyTo();
        };
    }

    private ReplyEffect<MigrationEvent, MigrationState> start(MigrationState state, StartMigration start) {
        if (state instanceof Asked) {
            return Effect().reply(start.replyTo(), show(state));
        }
        Optional<String> fault = MigrationRules.fault(start, settings.policies());
        if (fault.isPresent()) {
            return Effect().reply(start.replyTo(), new MigrationRefused(id, fault.get()));
        }
        return Effect()
                .persist((MigrationEvent) MigrationRules.requested(start, settings.policies()))
                .thenRun(this::takeUp)
                .thenReply(start.replyTo(), this::show);
    }

    private ReplyEffect<MigrationEvent, MigrationState> cancel(MigrationState state, CancelMigration cancel) {
        if (!(state instanceof Asked asked)) {
            return Effect().reply(cancel.replyTo(), show(state));
        }
        Optional<List<MigrationEvent>> events = MigrationRules.cancel(asked, cancel.reason());
        if (events.isEmpty()) {
            String why = asked instanceof Ended
                    ? "it has ended as " + asked.phase()
                    : "its handoff is committed: there is no way back";
            return Effect().reply(cancel.replyTo(), new MigrationRefused(id, why));
        }
        return Effect()
                .persist(withProgress(events.get()))
                .thenRun(this::changed)
                .thenReply(cancel.replyTo(), this::show);
    }

    private ReplyEffect<MigrationEvent, MigrationState> adjust(MigrationState state, AdjustMigration adjust) {
        if (!(state instanceof Asked asked)) {
            return Effect().reply(adjust.replyTo(), show(state));
        }
        Optional<String> fault = ConvergenceRules.fault(asked, adjust);
        if (fault.isPresent()) {
            return Effect().reply(adjust.replyTo(), new MigrationRefused(id, fault.get()));
        }
        long precopyMillis = progress.map(seen -> seen.stats().precopyMillis()).orElse(0L);
        return Effect()
                .persist(ConvergenceRules.adjust(asked, adjust, precopyMillis))
                .thenRun(this::changed)
                .thenReply(adjust.replyTo(), this::show);
    }

    private ReplyEffect<MigrationEvent, MigrationState> progressed(MigrationState state, SaveProgress report) {
        if (!(state instanceof MigrationState.Saving saving)
                || !report.host().equals(saving.job().from())) {
            return Effect().noReply();
        }
        progress = Optional.of(report.progress());
        StateTriple triple = report.progress().triple();
        if (liveTriples.isEmpty() || !liveTriples.getLast().equals(triple)) {
            liveTriples.add(triple);
        }
        watchPhase(state);
        Climbing.Verdict verdict = climbing(saving.job()).next(saving.trail().climb(), held, report.progress());
        held = verdict instanceof Climbing.Verdict.Stay(var goesOn) ? goesOn : Optional.empty();
        return persist(saving, ConvergenceRules.onVerdict(verdict));
    }

    /** Made from the job, which never changes, when it is first needed. */
    private Climbing climbing(MigrationJob job) {
        if (climbing == null) {
            climbing = new Climbing(Ladder.parse(job.ladder()), job.spec().blackoutBudgetMs());
        }
        return climbing;
    }

    private ReplyEffect<MigrationEvent, MigrationState> persist(Asked state, List<MigrationEvent> events) {
        List<MigrationEvent> full = withProgress(events);
        return switch (full.size()) {
            case 0 -> Effect().noReply();
            // of a list, shouldSnapshot is asked with the state before each event
            case 1 -> {
                boolean told = goAhead(state, MigrationLog.apply(state, full.getFirst()));
                yield Effect()
                        .persist(full.getFirst())
                        .thenRun(after -> changed(after, told))
                        .thenNoReply();
            }
            default -> Effect().persist(full).thenRun(this::changed).thenNoReply();
        };
    }

    /**
     * What may be told before it is durable, is: the source's copying, and a VM that stands still, wait for it.
     *
     * @return whether nothing is left to be told when it is
     */
    private boolean goAhead(Asked before, MigrationState after) {
        boolean ahead = MigrationDuties.mayGoAhead(before, after);
        if (ahead) {
            carryOut(after);
        }
        return ahead || MigrationDuties.saysNothingNew(before, after);
    }

    private List<MigrationEvent> withProgress(List<MigrationEvent> events) {
        return MigrationRules.with(events, progress.map(Progress::stats));
    }

    private MigrationReply show(MigrationState state) {
        return switch (state) {
            case Unasked _ -> {
                timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
                yield new MigrationRefused(id, "no migration '" + id + "'");
            }
            case Asked asked -> new MigrationShown(view(asked));
        };
    }

    private MigrationView view(Asked state) {
        return MigrationViews.of(state, progress, liveTriples);
    }

    /** A migration that goes on here from now on: just asked for, or recovered. */
    private void takeUp(MigrationState state) {
        if (state instanceof Asked asked && !(state instanceof Ended)) {
            for (String host : List.of(asked.job().from(), asked.job().to())) {
                agents.put(host, AgentWatch.UNSEEN);
                timers.startSingleTimer(new AgentOverdue(host), new AgentOverdue(host), settings.hostUnseenAfter());
                context.getSystem().receptionist().tell(Receptionist.subscribe(Names.agentOf(host), listings));
            }
            timers.startTimerWithFixedDelay("again", new Again(), settings.resendInterval());
        }
        changed(state);
    }

    private void changed(MigrationState state) {
        changed(state, false);
    }

    /** {@code told}: its orders have gone out already. */
    private void changed(MigrationState state, boolean told) {
        refusals = 0;
        switch (state) {
            case Unasked _ -> timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
            case Ended ended -> {
                context.getLog()
                        .info(
                                "migration {} {}: {}",
                                id,
                                ended.phase(),
                                ended.reason().orElse("done"));
                timers.cancelAll();
                agents.clear();
                // may get lost: the evacuation asks by itself, too
                ended.job()
                        .evacuation()
                        .ifPresent(evacuation -> ports.evacuations()
                                .apply(evacuation)
                                .tell(new MigrationEnded(evacuation, view(ended))));
                timers.startSingleTimer("leave", new Leave(), settings.passivateAfter());
            }
            case Asked asked -> {
                context.getLog()
                        .info(
                                "migration {}: {} of vm {}, {} to {}",
                                id,
                                asked.phase(),
                                asked.job().vm(),
                                asked.job().from(),
                                asked.job().to());
                watchPhase(state);
                if (!told) {
                    carryOut(state);
                }
            }
        }
    }

    private void carryOut(MigrationState state) {
        MigrationDuties.orders(state).forEach(this::tell);
        adjustment(state).ifPresent(this::tell);
        if (state instanceof Asked asked) {
            MigrationDuties.question(asked, ledgerAnswers)
                    .ifPresent(
                            question -> ports.ledgers().apply(asked.job().vm()).tell(question));
        }
    }

    private void tell(MigrationDuties.Order order) {
        agents.getOrDefault(order.host(), AgentWatch.UNSEEN).agent().ifPresent(agent -> agent.tell(order.command()));
    }

    private Optional<MigrationDuties.Order> adjustment(MigrationState state) {
        return MigrationDuties.adjustment(
                state,
                progress.map(seen -> OptionalLong.of(seen.limits().revision())).orElse(OptionalLong.empty()));
    }

    private ReplyEffect<MigrationEvent, MigrationState> listed(Asked state, Receptionist.Listing listing) {
        for (String host : List.of(state.job().from(), state.job().to())) {
            var key = Names.agentOf(host);
            if (!listing.isForKey(key) || state instanceof Ended) {
                continue;
            }
            // an unreachable agent may come back: it is gone only when the cluster has removed it
            AgentWatch watch = agents.getOrDefault(host, AgentWatch.UNSEEN).listed(listing.getAllServiceInstances(key));
            agents.put(host, watch);
            if (watch.agent().isPresent()) {
                timers.cancel(new AgentOverdue(host));
                carryOutFor(state, host, watch.agent().get());
            } else if (watch.seen()) {
                timers.startSingleTimer(new AgentOverdue(host), new AgentOverdue(host), settings.hostGoneAfter());
            }
        }
        return Effect().noReply();
    }

    private void carryOutFor(Asked state, String host, ActorRef<HostCommand> agent) {
        MigrationDuties.orders(state).stream()
                .filter(order -> order.host().equals(host))
                .forEach(order -> agent.tell(order.command()));
    }

    private ReplyEffect<MigrationEvent, MigrationState> overdueAgent(Asked state, String host) {
        boolean listed = agents.getOrDefault(host, AgentWatch.UNSEEN).agent().isPresent();
        return listed ? Effect().noReply() : persist(state, MigrationRules.onHostGone(state, host));
    }

    /** (Re)starts the watchdog of the state's phase, unless it runs for this state already. Progress restarts it. */
    private void watchPhase(MigrationState state) {
        String name = nameOf(state);
        if (name.equals(watchedState) && !(state instanceof MigrationState.Saving)) {
            return;
        }
        watchedState = name;
        timers.cancel("phase");
        switch (state) {
            case MigrationState.Preparing preparing ->
                watch(
                        name,
                        settings.prepareTimeout(),
                        "host " + preparing.job().to() + " did not get ready within "
                                + settings.prepareTimeout().toMillis() + " ms");
            case MigrationState.Saving saving ->
                watch(
                        name,
                        settings.progressTimeout(),
                        "host " + saving.job().from() + " reported no progress for "
                                + settings.progressTimeout().toMillis() + " ms");
            case MigrationState.Opening _, MigrationState.Switching _ ->
                watch(
                        name,
                        settings.switchoverTimeout(),
                        "the switchover was not over within "
                                + settings.switchoverTimeout().toMillis() + " ms");
            case MigrationState.Releasing releasing -> watchAway(releasing.job().from());
            case Unasked _,
                    MigrationState.Committing _,
                    MigrationState.Resuming _,
                    MigrationState.Aborting _,
                    MigrationState.GoingBack _,
                    Ended _ -> {}
        }
    }

    /** An agent that went away in an earlier phase, in which that changed nothing, is judged again. */
    private void watchAway(String host) {
        AgentWatch watch = agents.getOrDefault(host, AgentWatch.UNSEEN);
        if (watch.seen() && watch.agent().isEmpty()) {
            timers.startSingleTimer(new AgentOverdue(host), new AgentOverdue(host), settings.hostGoneAfter());
        }
    }

    private void watch(String state, Duration limit, String reason) {
        timers.startSingleTimer("phase", new PhaseOverdue(state, reason), limit);
    }

    private static String nameOf(MigrationState state) {
        return state.getClass().getSimpleName();
    }
}
