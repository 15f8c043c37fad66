package io.godwit.lease;

import io.godwit.lease.LeaseEvent.LeaseFenced;
import io.godwit.lease.LeaseEvent.LeaseRoundHeld;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseCommand.FenceVm;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply.FenceHolds;
import io.godwit.proto.lease.LeaseReply.LeaseMayLast;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.NoSerializationVerificationNeeded;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * Lends leases to hosts, and says when one has run out: a cluster singleton. Questions are gathered for a moment and answered
 * together after one event is durable, a round. That event is what makes it safe when two of these believe in themselves, one
 * of them cut off or asleep: the journal takes the next sequence number from one of them only, so the other can neither lend
 * nor fence, and a new one, whose first round comes after every round of the old, waits a whole lease from there.
 */
public final class LeaseEntity
        extends EventSourcedBehaviorWithEnforcedReplies<LeaseEntity.Command, LeaseEvent, LeaseState> {
    /** Its persistence id. */
    public static final PersistenceId PERSISTENCE_ID = PersistenceId.ofUniqueId("Leases");

    // after a failure of the store; the bounds are Pekko's own for sharding
    private static final Duration RESTART_MIN = Duration.ofSeconds(1);
    private static final Duration RESTART_MAX = Duration.ofSeconds(10);
    private static final double RESTART_JITTER = 0.1;

    /** All that the singleton handles. */
    sealed interface Command extends NoSerializationVerificationNeeded {}

    private record Asked(LeaseCommand command) implements Command {}

    private record HoldRound() implements Command {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final MonotonicClock clock;
    private final LeaseSettings settings;
    private LeaseBook book;
    private final List<RenewLeases> gathered = new ArrayList<>();
    private long lastRoundNanos;

    private LeaseEntity(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            MonotonicClock clock,
            LeaseSettings settings) {
        super(PERSISTENCE_ID, SupervisorStrategy.restartWithBackoff(RESTART_MIN, RESTART_MAX, RESTART_JITTER));
        this.context = context;
        this.timers = timers;
        this.clock = clock;
        this.settings = settings;
        this.book = new LeaseBook(settings.terms());
    }

    /** The singleton's behaviour. A failed one begins anew, and then waits a whole lease before it fences anything. */
    public static Behavior<LeaseCommand> create(MonotonicClock clock, LeaseSettings settings) {
        Behavior<Command> inner = Behaviors.<Command>supervise(Behaviors.setup(
                        context -> Behaviors.withTimers(timers -> new LeaseEntity(context, timers, clock, settings))))
                .onFailure(
                        IllegalStateException.class,
                        SupervisorStrategy.restartWithBackoff(RESTART_MIN, RESTART_MAX, RESTART_JITTER));
        return Behaviors.transformMessages(
                LeaseCommand.class, inner, builder -> builder.match(LeaseCommand.class, Asked::new));
    }

    @Override
    public LeaseState emptyState() {
        return LeaseState.EMPTY;
    }

    @Override
    public String snapshotPluginId() {
        // events are deleted here: a snapshot that is lost must not be taken for none
        return "sharding-snapshot-store";
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(
                        settings.snapshots().every(), settings.snapshots().kept())
                .withDeleteEventsOnSnapshot();
    }

    @Override
    public EventHandler<LeaseState, LeaseEvent> eventHandler() {
        return LeaseState::apply;
    }

    @Override
    public SignalHandler<LeaseState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), _ -> {
                    // after a failure of the store this object recovers again, and others may have lent meanwhile
                    book = new LeaseBook(settings.terms());
                    gathered.clear();
                    lastRoundNanos = clock.nanoTime();
                    timers.startTimerWithFixedDelay("idle", new HoldRound(), settings.idleRoundInterval());
                    context.getSelf().tell(new HoldRound());
                })
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, LeaseEvent, LeaseState> commandHandler() {
        return (state, command) -> switch (command) {
            case Asked(RenewLeases renew) -> {
                gathered.add(renew);
                // the first question after a silence is not to wait for others
                Duration pause = settings.roundInterval().minusNanos(clock.nanoTime() - lastRoundNanos);
                if (!pause.isPositive()) {
                    yield holdRound();
                }
                if (!timers.isTimerActive("round")) {
                    timers.startSingleTimer("round", new HoldRound(), pause);
                }
                yield Effect().noReply();
            }
            case Asked(FenceVm fence) -> fence(state, fence);
            case HoldRound() -> holdRound();
        };
    }

    private ReplyEffect<LeaseEvent, LeaseState> holdRound() {
        requireAwake();
        timers.cancel("round");
        List<RenewLeases> asked = List.copyOf(gathered);
        gathered.clear();
        return Effect()
                .persist((LeaseEvent) new LeaseRoundHeld())
                .thenRun(state -> {
                    long now = clock.nanoTime();
                    lastRoundNanos = now;
                    book.begin(now);
                    book.forget(now);
                    asked.forEach(renew -> renew.replyTo().tell(book.lend(state, renew, now)));
                })
                .thenNoReply();
    }

    private ReplyEffect<LeaseEvent, LeaseState> fence(LeaseState state, FenceVm fence) {
        Optional<FenceHolds> already = state.isFenced(fence.vm(), fence.epoch())
                ? Optional.of(new FenceHolds(fence.vm(), fence.epoch()))
                : Optional.empty();
        if (already.isPresent()) {
            return Effect().reply(fence.replyTo(), already.get());
        }
        requireAwake();
        long now = clock.nanoTime();
        if (!book.mayFence(fence, now)) {
            return Effect()
                    .reply(
                            fence.replyTo(),
                            new LeaseMayLast(fence.vm(), 1 + book.mayLastNanos(fence.vm(), now) / 1_000_000));
        }
        context.getLog().warn("vm {}: no lease under epoch {} or older is lent any more", fence.vm(), fence.epoch());
        return Effect()
                .persist((LeaseEvent) new LeaseFenced(fence.vm(), fence.epoch()))
                .thenReply(fence.replyTo(), _ -> new FenceHolds(fence.vm(), fence.epoch()));
    }

    /**
     * Old events are deleted, and with them what would refuse a lender that slept for long: it must not try to write. What it
     * had gathered is so old that an answer is worth nothing.
     */
    private void requireAwake() {
        long silent = clock.nanoTime() - lastRoundNanos;
        if (silent > settings.staleAfter().toNanos()) {
            throw new IllegalStateException("no round of leases for " + silent / 1_000_000
                    + " ms: there may be another lender; the journal is read again");
        }
    }
}
