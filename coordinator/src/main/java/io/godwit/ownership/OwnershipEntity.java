package io.godwit.ownership;

import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import java.time.Duration;
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

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final String vm;

    private OwnershipEntity(
            ActorContext<Command> context, TimerScheduler<Command> timers, String vm, PersistenceId persistenceId) {
        super(persistenceId);
        this.context = context;
        this.timers = timers;
        this.vm = vm;
    }

    /** The ledger of {@code vm}. */
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
            return Effect().reply(replyTo, decision.reply(state));
        }
        return Effect().persist(event.get()).thenRun(this::watchDeadline).thenReply(replyTo, decision::reply);
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
