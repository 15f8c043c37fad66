package io.godwit.fleet;

import io.godwit.fleet.CoordinatorException.Unavailable;
import io.godwit.proto.Names;
import io.godwit.proto.host.HostCommand;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.pattern.Patterns;

/** Questions from outside the actors, with one kind of failure for no answer. */
final class Asking {
    private final ActorSystem<?> system;

    Asking(ActorSystem<?> system) {
        this.system = system;
    }

    /** @param whom for the failure's message, such as {@code the fleet view} */
    <Q, A> CompletionStage<A> ask(
            RecipientRef<Q> target, Function<ActorRef<A>, Q> question, Duration limit, String whom) {
        return AskPattern.ask(target, question, limit, system.scheduler())
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(translate(failure, whom, limit)));
    }

    /**
     * As {@link #ask}, for a question that may be asked twice: it is lost when it goes to a coordinator that has just died, and
     * until the others have noticed. So it is asked anew every {@code again}, and whoever has come in its place answers.
     */
    <Q, A> CompletionStage<A> askAgain(
            RecipientRef<Q> target, Function<ActorRef<A>, Q> question, Duration limit, Duration again, String whom) {
        return askUntil(target, question, limit, again)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(translate(failure, whom, limit)));
    }

    private <Q, A> CompletionStage<A> askUntil(
            RecipientRef<Q> target, Function<ActorRef<A>, Q> question, Duration left, Duration again) {
        Duration now = left.compareTo(again) < 0 ? left : again;
        CompletionStage<A> answer = AskPattern.ask(target, question, now, system.scheduler());
        return now.equals(left)
                ? answer
                : answer.exceptionallyCompose(failure -> cause(failure) instanceof TimeoutException
                        ? askUntil(target, question, left.minus(now), again)
                        : CompletableFuture.failedFuture(failure));
    }

    /**
     * The agent of {@code host}. A host's first reports come sooner than its agent's listing, and an agent that restarts is
     * listed again in a moment: so it is looked for again until {@code patience} is over, then Unavailable.
     */
    CompletionStage<ActorRef<HostCommand>> agent(String host, Duration limit, Duration patience, Duration interval) {
        int attempts = (int) Math.max(1, patience.dividedBy(interval));
        return Patterns.retry(() -> findAgent(host, limit), attempts, interval, system.classicSystem());
    }

    /**
     * The first answer that is {@code settled}, asked for again every {@code interval}; the last one, whatever it is, when
     * {@code patience} is over. For what follows from a report that may be on its way.
     */
    <T> CompletionStage<T> settled(
            Supplier<CompletionStage<T>> question, Predicate<T> settled, Duration patience, Duration interval) {
        return question.get().thenCompose(answer -> {
            Duration left = patience.minus(interval);
            return settled.test(answer) || left.isNegative()
                    ? CompletableFuture.completedFuture(answer)
                    : Patterns.after(
                            interval, system.classicSystem(), () -> settled(question, settled, left, interval));
        });
    }

    private CompletionStage<ActorRef<HostCommand>> findAgent(String host, Duration limit) {
        var key = Names.agentOf(host);
        return this.<Receptionist.Command, Receptionist.Listing>ask(
                        system.receptionist(), replyTo -> Receptionist.find(key, replyTo), limit, "the receptionist")
                .thenApply(listing -> listing.getServiceInstances(key).stream()
                        .findAny()
                        .orElseThrow(() -> new Unavailable("the agent of host '" + host + "' cannot be reached")));
    }

    private static Throwable translate(Throwable failure, String whom, Duration limit) {
        Throwable cause = cause(failure);
        return cause instanceof TimeoutException
                ? new Unavailable(whom + " did not answer within " + limit.toMillis() + " ms")
                : cause;
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
