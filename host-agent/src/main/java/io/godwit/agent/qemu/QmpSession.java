package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * The monitors of one QEMU, for sequences of commands. A stage fails with {@link Refused} when QEMU says no, and with another
 * IOException when nobody knows whether the command was carried out.
 */
final class QmpSession {
    /** QEMU did not do it. The description is for people. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(String command, String description) {
            super(command + ": " + description);
        }
    }

    private final ActorRef<QmpMonitor.Command> main;
    private final ActorRef<QmpMonitor.Command> urgent;
    private final Duration patience;
    private final Scheduler scheduler;

    /**
     * @param main monitor for ordinary commands
     * @param urgent monitor for out-of-band ones; may be the same
     */
    QmpSession(
            ActorRef<QmpMonitor.Command> main,
            ActorRef<QmpMonitor.Command> urgent,
            QmpSettings settings,
            Scheduler scheduler) {
        this.main = main;
        this.urgent = urgent;
        // a monitor answers every command in its own time; this is for one that is not there any more
        this.patience = settings.commandTimeout().multipliedBy(2);
        this.scheduler = scheduler;
    }

    /** The monitor for ordinary commands. */
    ActorRef<QmpMonitor.Command> main() {
        return main;
    }

    /** The monitor for out-of-band commands. */
    ActorRef<QmpMonitor.Command> urgent() {
        return urgent;
    }

    CompletionStage<JsonNode> call(String command) {
        return call(command, arguments());
    }

    CompletionStage<JsonNode> call(String command, ObjectNode arguments) {
        return ask(main, command, arguments, false);
    }

    /** Past whatever holds up the main loop. */
    CompletionStage<JsonNode> outOfBand(String command, ObjectNode arguments) {
        return ask(urgent, command, arguments, true);
    }

    /** Empty arguments to fill. */
    static ObjectNode arguments() {
        return JsonNodeFactory.instance.objectNode();
    }

    private CompletionStage<JsonNode> ask(
            ActorRef<QmpMonitor.Command> monitor, String command, ObjectNode arguments, boolean oob) {
        CompletionStage<QmpMonitor.Reply> reply = AskPattern.ask(
                monitor, replyTo -> new QmpMonitor.Execute(command, arguments, oob, replyTo), patience, scheduler);
        return reply.thenCompose(QmpSession::result);
    }

    private static CompletionStage<JsonNode> result(QmpMonitor.Reply reply) {
        return switch (reply) {
            case QmpMonitor.Answered(var _, var value) -> CompletableFuture.completedFuture(value);
            case QmpMonitor.Refused(var command, var _, var description) ->
                CompletableFuture.failedFuture(new Refused(command, description));
            case QmpMonitor.Unanswered(var command, var sent, var reason) ->
                CompletableFuture.failedFuture(
                        new IOException(command + (sent ? " was not answered: " : " could not be sent: ") + reason));
        };
    }

    /** Whether QEMU itself said no, rather than that nobody knows. */
    static boolean refused(Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        return cause instanceof Refused;
    }
}
