package io.godwit.memory;

import com.typesafe.config.Config;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;

/**
 * One memory container: starts and stops the tracking of what devices do to guest memory, and syncs it into the save
 * path's bitmaps. IDLE → BUSY while one piece of work runs on the data plane → IDLE; what arrives meanwhile waits. It owns
 * neither the {@link IommuSpace} nor the bitmaps, so it may be stopped and made anew at any time.
 */
public final class MemoryContainer {
    /** What it may be asked. */
    public sealed interface Command {}

    /** Starts tracking afresh: answered with {@link TrackingChanged}. */
    public record StartTracking(ActorRef<Reply> replyTo) implements Command {}

    /** Stops tracking: answered with {@link TrackingChanged}. */
    public record StopTracking(ActorRef<Reply> replyTo) implements Command {}

    /**
     * Adds what is dirty to {@code dirty} and what can wait for the stop to {@code heldBack}, as {@link
     * IommuSpace#report} says; {@code stopped} only when none of its devices runs. Answered with {@link Synced}.
     */
    public record Sync(DirtyBitmap dirty, DirtyBitmap heldBack, boolean stopped, ActorRef<Reply> replyTo)
            implements Command {}

    /** Asks what it holds: answered with {@link Described}. */
    public record Describe(ActorRef<Reply> replyTo) implements Command {}

    private record Finished(ActorRef<Reply> replyTo, Reply reply) implements Command {}

    /** What it answers. */
    public sealed interface Reply {
        /** Name of the container. */
        String container();
    }

    /** Tracking is as asked; {@code warnings} name devices whose logs are not. */
    public record TrackingChanged(String container, List<String> warnings) implements Reply {
        public TrackingChanged {
            warnings = List.copyOf(warnings);
        }
    }

    /** The bitmaps are up to date; counts and warnings are those of {@link DirtyReport}. */
    public record Synced(
            String container, long pinnedPages, long dmaDirtyPages, boolean trustworthy, List<String> warnings)
            implements Reply {
        public Synced {
            warnings = List.copyOf(warnings);
        }
    }

    /** What it holds: devices in it, mappings, pages pinned. */
    public record Described(
            String container, boolean tracking, List<String> devices, List<IovaMapping> mappings, long pinnedPages)
            implements Reply {
        public Described {
            devices = List.copyOf(devices);
            mappings = List.copyOf(mappings);
        }
    }

    /** Not done: why. */
    public record ContainerFailed(String container, String reason) implements Reply {}

    private final String name;
    private final IommuSpace space;
    private final Executor dataPlane;
    private final ActorContext<Command> context;
    private final StashBuffer<Command> waiting;

    private MemoryContainer(
            String name,
            IommuSpace space,
            Executor dataPlane,
            ActorContext<Command> context,
            StashBuffer<Command> waiting) {
        this.name = name;
        this.space = space;
        this.dataPlane = dataPlane;
        this.context = context;
        this.waiting = waiting;
    }

    /** The container {@code name} over {@code space}; its work runs on {@code dataPlane}. */
    public static Behavior<Command> create(String name, IommuSpace space, Executor dataPlane) {
        return Behaviors.setup(context -> {
            Config settings = context.getSystem().settings().config();
            return Behaviors.withStash(
                    settings.getInt("godwit.memory.stash-max"),
                    waiting -> new MemoryContainer(name, space, dataPlane, context, waiting).idle());
        });
    }

    private Behavior<Command> idle() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case StartTracking(var replyTo) -> work(replyTo, () -> new TrackingChanged(name, space.startTracking()));
            case StopTracking(var replyTo) -> work(replyTo, () -> new TrackingChanged(name, space.stopTracking()));
            case Sync(var dirty, var heldBack, var stopped, var replyTo) ->
                work(replyTo, () -> {
                    DirtyReport found = space.report(stopped, dirty, heldBack);
                    return new Synced(
                            name, found.pinnedPages(), found.dmaDirtyPages(), found.trustworthy(), found.warnings());
                });
            case Describe(var replyTo) ->
                work(
                        replyTo,
                        () -> new Described(
                                name, space.tracking(), space.devices(), space.mappings(), space.pinnedPages()));
            case Finished _ -> throw new IllegalStateException("container " + name + ": work ended that never began");
        });
    }

    private Behavior<Command> busy() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Finished(var replyTo, var reply) -> {
                warnings(reply).forEach(warning -> context.getLog().warn("container {}: {}", name, warning));
                replyTo.tell(reply);
                yield waiting.unstashAll(idle());
            }
            case StartTracking(var replyTo) -> later(command, replyTo);
            case StopTracking(var replyTo) -> later(command, replyTo);
            case Sync(var _, var _, var _, var replyTo) -> later(command, replyTo);
            case Describe(var replyTo) -> later(command, replyTo);
        });
    }

    private Behavior<Command> later(Command command, ActorRef<Reply> replyTo) {
        if (waiting.isFull()) {
            replyTo.tell(new ContainerFailed(name, "busy: " + waiting.size() + " requests wait already"));
        } else {
            waiting.stash(command);
        }
        return Behaviors.same();
    }

    private Behavior<Command> work(ActorRef<Reply> replyTo, Callable<Reply> body) {
        CompletableFuture<Reply> running;
        try {
            running = CompletableFuture.supplyAsync(() -> call(body), dataPlane);
        } catch (RejectedExecutionException e) {
            replyTo.tell(new ContainerFailed(name, "the data plane takes no more work"));
            return Behaviors.same();
        }
        context.pipeToSelf(
                running, (reply, error) -> new Finished(replyTo, error == null ? reply : failed(unwrapped(error))));
        return busy();
    }

    private static Reply call(Callable<Reply> body) {
        try {
            return body.call();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    private static List<String> warnings(Reply reply) {
        return switch (reply) {
            case TrackingChanged changed -> changed.warnings();
            case Synced synced -> synced.warnings();
            case Described _, ContainerFailed _ -> List.of();
        };
    }

    private Reply failed(Throwable error) {
        return new ContainerFailed(name, String.valueOf(error.getMessage()));
    }

    private static Throwable unwrapped(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }
}
