package io.godwit.ownership;

import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * {@code Ownership[vm]}: the ledger of one VM. What an answer says is durable when it arrives. A second writer of the
 * same sequence number is refused by the journal's primary key, and this entity then stops without having answered.
 * There are no snapshots: a VM adds two small events per migration.
 */
public final class OwnershipEntity
        extends EventSourcedBehaviorWithEnforcedReplies<OwnershipEntity.Command, OwnershipEvent, OwnershipState> {
    /** All that the entity handles. */
    sealed interface Command extends NoSerializationVerificationNeeded {}

    private record Asked(OwnershipCommand command) implements Command {}

    private record DeadlinePassed(String migration) implements Command {}

    private record WaitOver() implements Command {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final String vm;
    private final Duration commitWait;
    private Optional<CommitHandoff> waiting = Optional.empty();

    private OwnershipEntity(
            ActorContext<Command> context, TimerScheduler<Command> timers, String vm, PersistenceId persistenceId) {
        super(persistenceId);
        this.context = context;
        this.timers = timers;
        this.vm = vm;
        this.commitWait = context.getSystem().settings().config().getDuration("godwit.ownership.commit-wait");
    }

    /** The ledger of {@code vm}. {@code godwit.ownership} in reference.conf has its one limit. */
    public static Behavior<OwnershipCommand> create(String vm, PersistenceId persistenceId) {
        Behavior<Command> inner = Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new OwnershipEntity(context, timers, vm, persistenceId)));
        return Behaviors.transformMessages(
                OwnershipCommand.class, inner, builder -> builder.match(OwnershipCommand.class, Asked::new));
    }

    @Override
    public OwnershipState emptyState() {
        return OwnershipState.empty(vm);
    }

    @Override
    public CommandHandlerWithReply<Command, OwnershipEvent, OwnershipState> commandHandler() {
        return (state, command) -> switch (command) {
            case Asked(var asked) -> answer(state, asked);
            case DeadlinePassed(var migration) -> expire(state, migration);
            case WaitOver() -> {
                letGo(state);
                yield Effect().noReply();
            }
        };
    }

    @Override
    public EventHandler<OwnershipState, OwnershipEvent> eventHandler() {
        return OwnershipState::apply;
    }

    @Override
    public SignalHandler<OwnershipState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::watchDeadline)
                .build();
    }

    private ReplyEffect<OwnershipEvent, OwnershipState> answer(OwnershipState state, OwnershipCommand command) {
        OwnershipRules.Decision decision = OwnershipRules.decide(state, command);
        ActorRef<OwnershipReply> replyTo = command.replyTo();
        Optional<OwnershipEvent> event = decision.event();
        if (event.isEmpty()) {
            if (command instanceof CommitHandoff commit && OwnershipRules.mayYetBegin(state, commit)) {
                return await(state, commit);
            }
            return Effect().reply(replyTo, decision.reply(state));
        }
        if (event.get() instanceof OwnershipEvent.LedgerHandoffBegun begun && waiting.isPresent()) {
            return begunAndCommitted(state, begun, decision, replyTo, waiting.get());
        }
        return Effect().persist(event.get()).thenRun(this::watchDeadline).thenReply(replyTo, decision::reply);
    }

    /** The destination has loaded all of it, and the source's wish is still on its way: the VM stands still meanwhile. */
    private ReplyEffect<OwnershipEvent, OwnershipState> await(OwnershipState state, CommitHandoff commit) {
        letGo(state);
        waiting = Optional.of(commit);
        timers.startSingleTimer("waiting", new WaitOver(), commitWait);
        return Effect().noReply();
    }

    /** What waits is refused as it would have been at once. */
    private void letGo(OwnershipState state) {
        waiting.ifPresent(commit ->
                commit.replyTo().tell(OwnershipRules.decide(state, commit).reply(state)));
        waiting = Optional.empty();
    }

    /**
     * Both in one write, which is what a VM that stands still waits for. Who wished for the handoff hears that it is open, as it
     * would have if the two had been decided one after the other.
     */
    private ReplyEffect<OwnershipEvent, OwnershipState> begunAndCommitted(
            OwnershipState state,
            OwnershipEvent begun,
            OwnershipRules.Decision begin,
            ActorRef<OwnershipReply> beginner,
            CommitHandoff commit) {
        waiting = Optional.empty();
        timers.cancel("waiting");
        OwnershipState open = state.apply(begun);
        OwnershipRules.Decision decision = OwnershipRules.decide(open, commit);
        List<OwnershipEvent> both = new ArrayList<>(List.of(begun));
        decision.event().ifPresent(both::add);
        return Effect()
                .persist(both)
                .thenRun(this::watchDeadline)
                .thenRun(after -> commit.replyTo().tell(decision.reply(after)))
                .thenReply(beginner, _ -> begin.reply(open));
    }

    private ReplyEffect<OwnershipEvent, OwnershipState> expire(OwnershipState state, String migration) {
        Optional<OwnershipEvent> event = OwnershipRules.expire(state, migration);
        if (event.isEmpty()) {
            return Effect().noReply();
        }
        context.getLog().warn("vm {}: handoff of migration {} aborted at its deadline", vm, migration);
        return Effect().persist(event.get()).thenRun(this::watchDeadline).thenNoReply();
    }

    /** After a recovery the whole deadline runs again: nobody knows how much of it had passed. */
    private void watchDeadline(OwnershipState state) {
        state.openHandoff()
                .ifPresentOrElse(
                        handoff -> timers.startSingleTimer(
                                "deadline",
                                new DeadlinePassed(handoff.migration()),
                                Duration.ofMillis(handoff.deadlineMs())),
                        () -> timers.cancel("deadline"));
    }
}
