package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One QMP connection, kept open: greeting, capabilities, commands and their answers by id, events. QEMU answers ordinary
 * commands one after the other, so one is under way and the others wait; out-of-band ones go past them. A broken link is
 * opened again and again; after each time the owner is told, because events that happened meanwhile are lost: it must ask
 * how things stand.
 *
 * <pre>
 * connecting → greeting → negotiating → ready
 *     ^            |           |          |  the link breaks: what was asked is answered with Unanswered
 *     +--- later --+-----------+----------+
 * </pre>
 */
public final class QmpMonitor {
    /** What it may be asked. */
    public sealed interface Command {}

    /**
     * Carries out a QMP command.
     *
     * @param arguments may be empty
     * @param oob past whatever holds up the main loop; refused where QEMU does not offer it
     */
    public record Execute(String command, ObjectNode arguments, boolean oob, ActorRef<Reply> replyTo)
            implements Command {
        /** An ordinary command without arguments. */
        public Execute(String command, ActorRef<Reply> replyTo) {
            this(command, JsonNodeFactory.instance.objectNode(), false, replyTo);
        }
    }

    private record Opened(int attempt, @Nullable QmpLink link, String error) implements Command {}

    private record Heard(int attempt, QmpMessage message) implements Command {}

    private record Broke(int attempt, String reason) implements Command {}

    private record HandshakeOverdue(int attempt) implements Command {}

    private record AnswerOverdue(String id) implements Command {}

    private record Reconnect() implements Command {}

    /** What it answers; each Execute is answered once. */
    public sealed interface Reply {
        /** The command asked for. */
        String command();
    }

    /** Done. */
    public record Answered(String command, JsonNode value) implements Reply {}

    /** QEMU did not do it, and says why; the description is for people. */
    public record Refused(String command, String kind, String description) implements Reply {}

    /** Nobody knows whether it was done: the link broke, no answer came in time, or it was never sent. */
    public record Unanswered(String command, boolean sent, String reason) implements Reply {}

    /** What its owner hears. */
    public sealed interface Event {}

    /** Commands go through from now on; what happened before is not known. */
    public record Connected(QmpVersion version, boolean oob) implements Event {}

    /** The link is broken; it will be opened again. */
    public record Disconnected(String reason) implements Event {}

    /** An event of QEMU. */
    public record Happened(QmpMessage.Event event) implements Event {}

    private record Asked(String id, Execute execute) {}

    private static final String NEGOTIATION = "negotiation";

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final QmpLink.Opener opener;
    private final Executor blocking;
    private final QmpSettings settings;
    private final ActorRef<Event> owner;
    private final ObjectMapper json = new ObjectMapper();
    private final Deque<Asked> waiting = new ArrayDeque<>();
    private final Map<String, Execute> sent = new LinkedHashMap<>();
    private @Nullable QmpLink link;
    private volatile boolean ended;
    private boolean oob;
    private int attempt;
    private long commands;
    private @Nullable String underWay;
    private CompletableFuture<Void> writes = CompletableFuture.completedFuture(null);

    private QmpMonitor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            QmpLink.Opener opener,
            Executor blocking,
            QmpSettings settings,
            ActorRef<Event> owner) {
        this.context = context;
        this.timers = timers;
        this.opener = opener;
        this.blocking = blocking;
        this.settings = settings;
        this.owner = owner;
    }

    /**
     * Connects at once.
     *
     * @param blocking where the link is read and written; a thread is held for as long as the link is open
     */
    public static Behavior<Command> create(
            QmpLink.Opener opener, Executor blocking, QmpSettings settings, ActorRef<Event> owner) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new QmpMonitor(context, timers, opener, blocking, settings, owner).connecting()));
    }

    private Behavior<Command> connecting() {
        int mine = ++attempt;
        context.pipeToSelf(
                CompletableFuture.supplyAsync(this::open, blocking),
                (opened, thrown) -> new Opened(mine, opened, thrown == null ? "" : reason(thrown)));
        return handle(command -> switch (command) {
            case Opened opened -> {
                QmpLink fresh = opened.link();
                yield fresh == null ? later(opened.error()) : greeting(fresh);
            }
            case Execute execute -> queue(execute);
            case AnswerOverdue(var id) -> overdue(id);
            case Heard _, Broke _, HandshakeOverdue _, Reconnect _ -> Behaviors.same();
        });
    }

    private QmpLink open() {
        try {
            QmpLink fresh = opener.open();
            if (ended) {
                // nobody is left to take it, and QEMU greets one client at a time
                fresh.close();
            }
            return fresh;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Behavior<Command> greeting(QmpLink fresh) {
        link = fresh;
        int mine = attempt;
        timers.startSingleTimer(NEGOTIATION, new HandshakeOverdue(mine), settings.handshakeTimeout());
        ActorRef<Command> self = context.getSelf();
        blocking.execute(() -> read(fresh, mine, self));
        return handle(command -> switch (command) {
            case Heard(var of, QmpMessage.Greeting greeting) when of == attempt -> negotiating(greeting);
            case Heard(var of, var message) when of == attempt -> breakOff("expected QMP's greeting, got " + message);
            case Broke(var of, var reason) when of == attempt -> breakOff(reason);
            case HandshakeOverdue(var of) when of == attempt -> breakOff("QMP's greeting did not come");
            case Execute execute -> queue(execute);
            case AnswerOverdue(var id) -> overdue(id);
            case Heard _, Broke _, HandshakeOverdue _, Opened _, Reconnect _ -> Behaviors.same();
        });
    }

    private void read(QmpLink from, int of, ActorRef<Command> self) {
        try {
            for (String line = from.readLine(); line != null; line = from.readLine()) {
                self.tell(new Heard(of, QmpMessage.parse(json, line)));
            }
            self.tell(new Broke(of, "QEMU has closed the QMP connection"));
        } catch (IOException e) {
            self.tell(new Broke(of, "QMP connection: " + e.getMessage()));
        }
    }

    private Behavior<Command> negotiating(QmpMessage.Greeting greeting) {
        oob = greeting.oob();
        ObjectNode arguments = JsonNodeFactory.instance.objectNode();
        if (oob) {
            arguments.putArray("enable").add("oob");
        }
        write(QmpMessage.line(NEGOTIATION, "qmp_capabilities", arguments, false));
        return handle(command -> switch (command) {
            case Heard(var of, QmpMessage.Returned(var id, var _))
            when of == attempt && id.equals(NEGOTIATION) -> {
                timers.cancel(NEGOTIATION);
                owner.tell(new Connected(greeting.version(), oob));
                next();
                yield ready();
            }
            case Heard(var of, QmpMessage.Refused(var _, var _, var why))
            when of == attempt -> breakOff("QMP's capabilities were refused: " + why);
            case Heard(var of, QmpMessage.Event event)
            when of == attempt -> {
                owner.tell(new Happened(event));
                yield Behaviors.same();
            }
            case Broke(var of, var reason) when of == attempt -> breakOff(reason);
            case HandshakeOverdue(var of) when of == attempt -> breakOff("QMP's capabilities were not answered");
            case Execute execute -> queue(execute);
            case AnswerOverdue(var id) -> overdue(id);
            case Heard _, Broke _, HandshakeOverdue _, Opened _, Reconnect _ -> Behaviors.same();
        });
    }

    private Behavior<Command> ready() {
        return handle(command -> switch (command) {
            case Execute execute -> {
                Behavior<Command> same = queue(execute);
                next();
                yield same;
            }
            case Heard(var of, var message)
            when of == attempt -> {
                heard(message);
                yield Behaviors.same();
            }
            case Broke(var of, var reason) when of == attempt -> breakOff(reason);
            case AnswerOverdue(var id) -> overdue(id);
            case Heard _, Broke _, HandshakeOverdue _, Opened _, Reconnect _ -> Behaviors.same();
        });
    }

    private void heard(QmpMessage message) {
        switch (message) {
            case QmpMessage.Event event -> owner.tell(new Happened(event));
            case QmpMessage.Returned(var id, var value) ->
                answered(id).ifPresent(asked -> asked.replyTo().tell(new Answered(asked.command(), value)));
            case QmpMessage.Refused(var id, var kind, var description) ->
                id.or(() -> Optional.ofNullable(underWay))
                        .flatMap(this::answered)
                        .ifPresent(asked -> asked.replyTo().tell(new Refused(asked.command(), kind, description)));
            case QmpMessage.Greeting _ -> context.getLog().warn("QMP greeted twice");
            case QmpMessage.Unknown(var line, var why) ->
                context.getLog().warn("QMP line left alone, {}: {}", why, line);
        }
    }

    /** The command that was answered, unless it was given up on; the next one may go. */
    private Optional<Execute> answered(String id) {
        timers.cancel(id);
        Execute asked = sent.remove(id);
        if (id.equals(underWay)) {
            underWay = null;
            next();
        }
        return Optional.ofNullable(asked);
    }

    private Behavior<Command> queue(Execute execute) {
        if (waiting.size() >= settings.waitingMax()) {
            execute.replyTo().tell(new Unanswered(execute.command(), false, waiting.size() + " commands wait already"));
        } else {
            String id = "godwit-" + ++commands;
            timers.startSingleTimer(id, new AnswerOverdue(id), settings.commandTimeout());
            waiting.add(new Asked(id, execute));
        }
        return Behaviors.same();
    }

    /** Sends what may go now: every out-of-band command, and an ordinary one when none is under way. */
    private void next() {
        for (Iterator<Asked> each = waiting.iterator(); each.hasNext(); ) {
            Asked asked = each.next();
            Execute execute = asked.execute();
            if (execute.oob() && !oob) {
                each.remove();
                timers.cancel(asked.id());
                execute.replyTo()
                        .tell(new Refused(execute.command(), "NotOffered", "this QEMU has no out-of-band commands"));
            } else if (execute.oob() || underWay == null) {
                each.remove();
                if (!execute.oob()) {
                    underWay = asked.id();
                }
                sent.put(asked.id(), execute);
                write(QmpMessage.line(asked.id(), execute.command(), execute.arguments(), execute.oob()));
            }
        }
    }

    /** No answer in time. An ordinary command goes on holding up the others: QEMU would only queue them behind it. */
    private Behavior<Command> overdue(String id) {
        String late = "no answer within " + settings.commandTimeout().toMillis() + " ms";
        Execute asked = sent.remove(id);
        if (asked != null) {
            asked.replyTo().tell(new Unanswered(asked.command(), true, late));
            return Behaviors.same();
        }
        for (Iterator<Asked> each = waiting.iterator(); each.hasNext(); ) {
            Asked waited = each.next();
            if (waited.id().equals(id)) {
                each.remove();
                waited.execute().replyTo().tell(new Unanswered(waited.execute().command(), false, late));
            }
        }
        return Behaviors.same();
    }

    private Behavior<Command> breakOff(String reason) {
        timers.cancel(NEGOTIATION);
        closeLink();
        underWay = null;
        sent.forEach((id, asked) -> {
            timers.cancel(id);
            asked.replyTo().tell(new Unanswered(asked.command(), true, reason));
        });
        sent.clear();
        Behavior<Command> next = later(reason);
        // told last: whoever hears it may count on the next attempt being due
        owner.tell(new Disconnected(reason));
        return next;
    }

    private Behavior<Command> later(String reason) {
        context.getLog().debug("QMP: {}; connecting again", reason);
        timers.startSingleTimer("reconnect", new Reconnect(), settings.reconnectInterval());
        return handle(command -> switch (command) {
            case Reconnect() -> connecting();
            case Execute execute -> queue(execute);
            case AnswerOverdue(var id) -> overdue(id);
            case Heard _, Broke _, HandshakeOverdue _, Opened _ -> Behaviors.same();
        });
    }

    /** A few hundred bytes into a socket whose reader may hang: it must not hang this actor, too. */
    private void write(String line) {
        QmpLink to = link;
        int mine = attempt;
        ActorRef<Command> self = context.getSelf();
        if (to == null) {
            return;
        }
        writes = writes.thenRunAsync(
                () -> {
                    try {
                        to.writeLine(line);
                    } catch (IOException e) {
                        self.tell(new Broke(mine, "QMP connection: " + e.getMessage()));
                    }
                },
                blocking);
    }

    private void closeLink() {
        QmpLink open = link;
        link = null;
        if (open != null) {
            blocking.execute(open::close);
        }
    }

    private Behavior<Command> handle(Function<Command, Behavior<Command>> state) {
        return Behaviors.receive(Command.class)
                .onMessage(Command.class, state::apply)
                .onSignal(PostStop.class, _ -> {
                    ended = true;
                    closeLink();
                    return Behaviors.same();
                })
                .build();
    }

    private static String reason(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null
                && (cause instanceof CompletionException || cause instanceof UncheckedIOException)) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}
