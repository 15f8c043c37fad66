package io.godwit.device;

import com.typesafe.config.Config;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;

/**
 * One VFIO device of a VM: takes the hooks of its migration as messages and walks the device through its states. BUSY
 * (reading where it stands) → IDLE → BUSY while one hook runs on the data plane → IDLE; what arrives meanwhile waits its
 * turn. It does not own the {@link VfioDevice}, so it may be stopped and made anew at any time; whoever made the device
 * closes it. (Hooks and flow: QEMU, docs/devel/migration/vfio.rst.)
 */
public final class Device {
    /** What it may be asked. Every command is answered, by {@link Failed} or {@link Rejected} if by nothing better. */
    public sealed interface Command {
        /** Where the answer goes. */
        ActorRef<Reply> replyTo();
    }

    /** Source: a running device that has pre-copy goes to PRE_COPY, any other stays. Answered with {@link Done}. */
    public record SaveSetup(ActorRef<Reply> replyTo) implements Command {}

    /** Source: answered with {@link Pending}. */
    public record SaveLivePending(ActorRef<Reply> replyTo) implements Command {}

    /**
     * Source: sends state until at least {@code maxBytes} are sent (one chunk more at most) or nothing is left for now. A
     * device in pre-copy whose initial data is all sent says so once, with {@link DeviceChunkKind#INITIAL_END}: one that
     * has none at its first iteration, one without pre-copy never. Answered with {@link Iterated}.
     */
    public record SaveLiveIterate(DeviceSink sink, long maxBytes, ActorRef<Reply> replyTo) implements Command {}

    /** Source, in STOP_COPY: sends config, the rest of the state and the end. Answered with {@link Saved}. */
    public record SaveLiveCompletePrecopy(DeviceSink sink, ActorRef<Reply> replyTo) implements Command {}

    /** Destination: to RESUMING. Answered with {@link Done}. */
    public record LoadSetup(ActorRef<Reply> replyTo) implements Command {}

    /** Destination: takes a chunk in, which is left alone until the answer, {@link Loaded}. */
    public record LoadState(DeviceChunkKind kind, ByteBuffer chunk, ActorRef<Reply> replyTo) implements Command {}

    /** Destination: all has come; it stays in RESUMING until its VM runs. Answered with {@link DigestTaken}. */
    public record LoadCleanup(ActorRef<Reply> replyTo) implements Command {}

    /** Both: STOP_COPY goes to STOP, an unfinished RESUMING is reset to STOP; buffers are freed. */
    public record Cleanup(ActorRef<Reply> replyTo) implements Command {}

    /**
     * Both: the VM is about to go to {@code to} ({@code prepare}: into the P2P state, if the device has it, and no
     * further), or goes there: RUNNING → RUNNING, FINISH_MIGRATE → STOP_COPY, PAUSED, POSTMIGRATE and INTERNAL_ERROR →
     * STOP; the others change nothing. With several devices, all answer the first before any gets the second.
     */
    public record VmStateChanged(RunState to, boolean prepare, ActorRef<Reply> replyTo) implements Command {}

    /** Both: CANCELLED and FAILED take it out of pre-copy, and out of ERROR by a reset; the others change nothing. */
    public record MigrationStatusChanged(MigrationStatus status, ActorRef<Reply> replyTo) implements Command {}

    /** Answered at once with {@link Described}, whatever it does. */
    public record Describe(ActorRef<Reply> replyTo) implements Command {}

    private record Finished(DeviceHook hook, DeviceHooks.Outcome outcome, ActorRef<Reply> replyTo) implements Command {}

    /** What it answers. */
    public sealed interface Reply {
        /** Name of the device. */
        String device();
    }

    /** The hook is done, and that is where the device stands. */
    public record Done(String device, DeviceState state) implements Reply {}

    /**
     * What is still to be given out, in bytes: {@code precopyBytes} while it runs, {@code initialBytes} of them first;
     * {@code stopCopyBytes} if it stopped now, which takes in what pre-copy has not given out by then (do not add them).
     */
    public record Pending(String device, long initialBytes, long precopyBytes, long stopCopyBytes) implements Reply {}

    /** That many bytes were sent; 0 when there was nothing for now. */
    public record Iterated(String device, long bytes) implements Reply {}

    /** All is sent, {@code bytes} of it while the device stood still; the digest is of the whole state. */
    public record Saved(String device, long bytes, long digest) implements Reply {}

    /** A chunk of that many bytes is taken in. */
    public record Loaded(String device, long bytes) implements Reply {}

    /** The digest of the whole state. */
    public record DigestTaken(String device, long digest) implements Reply {}

    /** What it is, where it stands, and how it came there. */
    public record Described(
            String device, String model, DeviceState state, boolean busy, List<DeviceHistory.Entry> history)
            implements Reply {
        public Described {
            history = List.copyOf(history);
        }
    }

    /** The device failed; {@code state} was read back afterwards. */
    public record Failed(String device, DeviceHook hook, String reason, DeviceState state) implements Reply {}

    /** The hook is not one for that state, or too many wait; the device was not touched. */
    public record Rejected(String device, DeviceHook hook, DeviceState state) implements Reply {}

    private final String name;
    private final VfioDevice device;
    private final Executor dataPlane;
    private final ActorContext<Command> context;
    private final StashBuffer<Command> waiting;
    private final DeviceHooks hooks;
    private final DeviceHistory history;
    private DeviceState state = DeviceState.STOP;

    private Device(
            String name,
            VfioDevice device,
            Executor dataPlane,
            ActorContext<Command> context,
            StashBuffer<Command> waiting,
            Config settings) {
        this.name = name;
        this.device = device;
        this.dataPlane = dataPlane;
        this.context = context;
        this.waiting = waiting;
        this.hooks = new DeviceHooks(name, device, Math.toIntExact(settings.getBytes("chunk-bytes")));
        this.history = new DeviceHistory(settings.getInt("history-max"));
    }

    /** The actor of {@code device}, known in the VM as {@code name}; the device is called on {@code dataPlane} only. */
    public static Behavior<Command> create(String name, VfioDevice device, Executor dataPlane) {
        return Behaviors.setup(context -> {
            Config settings = context.getSystem().settings().config().getConfig("godwit.device");
            return Behaviors.withStash(
                    settings.getInt("stash-max"),
                    waiting -> new Device(name, device, dataPlane, context, waiting, settings).start());
        });
    }

    private Behavior<Command> start() {
        ActorRef<Reply> nobody = context.getSystem().ignoreRef();
        return work(DeviceHook.DESCRIBE, nobody, hooks::begin);
    }

    private Behavior<Command> idle() {
        return Behaviors.receiveMessage(command -> {
            if (!accepts(command)) {
                return reject(command);
            }
            return switch (command) {
                case SaveSetup(var replyTo) -> work(DeviceHook.SAVE_SETUP, replyTo, hooks::saveSetup);
                case SaveLivePending(var replyTo) -> work(DeviceHook.SAVE_LIVE_PENDING, replyTo, _ -> hooks.pending());
                case SaveLiveIterate(var sink, var maxBytes, var replyTo) ->
                    work(DeviceHook.SAVE_LIVE_ITERATE, replyTo, walk -> hooks.iterate(walk, sink, maxBytes));
                case SaveLiveCompletePrecopy(var sink, var replyTo) ->
                    work(DeviceHook.SAVE_LIVE_COMPLETE_PRECOPY, replyTo, _ -> hooks.complete(sink));
                case LoadSetup(var replyTo) -> work(DeviceHook.LOAD_SETUP, replyTo, hooks::loadSetup);
                case LoadState(var kind, var chunk, var replyTo) ->
                    work(DeviceHook.LOAD_STATE, replyTo, _ -> hooks.load(kind, chunk));
                case LoadCleanup(var replyTo) -> work(DeviceHook.LOAD_CLEANUP, replyTo, _ -> hooks.loadCleanup());
                case Cleanup(var replyTo) -> work(DeviceHook.CLEANUP, replyTo, hooks::cleanup);
                case VmStateChanged(var to, var prepare, var replyTo) ->
                    work(DeviceHook.VM_STATE_CHANGED, replyTo, walk -> hooks.vmStateChanged(walk, to, prepare));
                case MigrationStatusChanged(var status, var replyTo) ->
                    work(
                            DeviceHook.MIGRATION_STATUS_CHANGED,
                            replyTo,
                            switch (status) {
                                case CANCELLED, FAILED -> hooks::migrationEnded;
                                case NONE, SETUP, ACTIVE, DEVICE, COMPLETED -> hooks::done;
                            });
                case Describe(var replyTo) -> describe(replyTo, false);
                case Finished _ ->
                    throw new IllegalStateException("device " + name + ": a hook ended that never began");
            };
        });
    }

    private Behavior<Command> busy() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Finished(var hook, var outcome, var replyTo) -> {
                state = outcome.state();
                history.add(hook, outcome.states(), outcome.failure());
                replyTo.tell(outcome.reply());
                yield waiting.unstashAll(idle());
            }
            case Describe(var replyTo) -> describe(replyTo, true);
            case SaveSetup _,
                    SaveLivePending _,
                    SaveLiveIterate _,
                    SaveLiveCompletePrecopy _,
                    LoadSetup _,
                    LoadState _,
                    LoadCleanup _,
                    Cleanup _,
                    VmStateChanged _,
                    MigrationStatusChanged _ -> {
                if (waiting.isFull()) {
                    yield reject(command);
                }
                waiting.stash(command);
                yield Behaviors.same();
            }
        });
    }

    /** Whether the state in which the device was last seen has use for a command. */
    private boolean accepts(Command command) {
        return switch (command) {
            case SaveSetup _ ->
                switch (state) {
                    case RUNNING, STOP, PRE_COPY -> true;
                    case ERROR, STOP_COPY, RESUMING, RUNNING_P2P, PRE_COPY_P2P -> false;
                };
            case SaveLivePending _ -> state != DeviceState.ERROR && state != DeviceState.RESUMING;
            case SaveLiveIterate _ -> state.runs() || state == DeviceState.STOP;
            case SaveLiveCompletePrecopy _ -> state == DeviceState.STOP_COPY;
            case LoadSetup _ ->
                switch (state) {
                    case STOP, RUNNING, RUNNING_P2P -> true;
                    case ERROR, STOP_COPY, RESUMING, PRE_COPY, PRE_COPY_P2P -> false;
                };
            case LoadState _, LoadCleanup _ -> state == DeviceState.RESUMING;
            case VmStateChanged _ -> state != DeviceState.ERROR;
            case Cleanup _, MigrationStatusChanged _, Describe _, Finished _ -> true;
        };
    }

    private Behavior<Command> reject(Command command) {
        command.replyTo().tell(new Rejected(name, hookOf(command), state));
        return Behaviors.same();
    }

    private static DeviceHook hookOf(Command command) {
        return switch (command) {
            case SaveSetup _ -> DeviceHook.SAVE_SETUP;
            case SaveLivePending _ -> DeviceHook.SAVE_LIVE_PENDING;
            case SaveLiveIterate _ -> DeviceHook.SAVE_LIVE_ITERATE;
            case SaveLiveCompletePrecopy _ -> DeviceHook.SAVE_LIVE_COMPLETE_PRECOPY;
            case LoadSetup _ -> DeviceHook.LOAD_SETUP;
            case LoadState _ -> DeviceHook.LOAD_STATE;
            case LoadCleanup _ -> DeviceHook.LOAD_CLEANUP;
            case Cleanup _ -> DeviceHook.CLEANUP;
            case VmStateChanged _ -> DeviceHook.VM_STATE_CHANGED;
            case MigrationStatusChanged _ -> DeviceHook.MIGRATION_STATUS_CHANGED;
            case Describe _ -> DeviceHook.DESCRIBE;
            case Finished(var hook, var _, var _) -> hook;
        };
    }

    private Behavior<Command> describe(ActorRef<Reply> replyTo, boolean busy) {
        replyTo.tell(new Described(name, device.model(), state, busy, history.entries()));
        return Behaviors.same();
    }

    private Behavior<Command> work(DeviceHook hook, ActorRef<Reply> replyTo, DeviceHooks.Work body) {
        CompletableFuture<DeviceHooks.Outcome> running;
        try {
            running = CompletableFuture.supplyAsync(() -> hooks.run(hook, body), dataPlane);
        } catch (RejectedExecutionException e) {
            replyTo.tell(new Failed(name, hook, "the data plane takes no more work", state));
            return idle();
        }
        DeviceState before = state;
        context.pipeToSelf(running, (outcome, error) -> {
            DeviceHooks.Outcome result = outcome != null ? outcome : died(hook, before, error);
            return new Finished(hook, result, replyTo);
        });
        return busy();
    }

    /** Not even the state could be read back: an error in the device's own code. */
    private DeviceHooks.Outcome died(DeviceHook hook, DeviceState before, Throwable error) {
        String reason = "its code failed: " + error;
        return new DeviceHooks.Outcome(new Failed(name, hook, reason, before), List.of(before), Optional.of(reason));
    }
}
