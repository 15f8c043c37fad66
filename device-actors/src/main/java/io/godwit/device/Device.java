package io.godwit.device;

import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.nio.ByteBuffer;
import java.time.Duration;
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
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One VFIO device of a VM: takes the hooks of its migration as messages and walks the device through its states. It does
 * not own the {@link VfioDevice}, so it may be stopped and made anew at any time; whoever made the device closes it. (Hooks
 * and flow: QEMU, docs/devel/migration/vfio.rst.)
 *
 * <pre>
 * busy (reading where it stands) → idle → busy (one hook runs on the data plane; what arrives meanwhile waits) → idle
 *                                         busy → overdue (not back within hook-timeout) → idle once it is back
 * </pre>
 *
 * <p>The time a hook spends in a {@link DeviceSink} does not count: a slow stream is not a hung device, and has limits of
 * its own. A hook that is overdue is answered with {@link Failed}, and so are the ones that wait and all that come until it
 * is back, at once: nobody waits for a hung device. When it is back, the next hook walks from where the device stands then;
 * if the migration has ended meanwhile, the device is told so first.
 */
public final class Device {
    /** What it is told. */
    public sealed interface Command {}

    /** What it may be asked. All are answered, by {@link Failed} or {@link Rejected} if by nothing better. */
    public sealed interface Hook extends Command {
        /** Where the answer goes. */
        ActorRef<Reply> replyTo();
    }

    /**
     * Source: a running device that has pre-copy goes to PRE_COPY, by way of RUNNING if an earlier migration has left it
     * there; any other stays. Answered with {@link Done}.
     */
    public record SaveSetup(ActorRef<Reply> replyTo) implements Hook {}

    /** Source: answered with {@link Pending}. */
    public record SaveLivePending(ActorRef<Reply> replyTo) implements Hook {}

    /**
     * Source: sends state until at least {@code maxBytes} are sent (one chunk more at most) or nothing is left for now. A
     * device in pre-copy whose initial data is all sent says so once, with {@link DeviceChunkKind#INITIAL_END}: one that
     * has none at its first iteration, one without pre-copy never. Answered with {@link Iterated}.
     */
    public record SaveLiveIterate(DeviceSink sink, long maxBytes, ActorRef<Reply> replyTo) implements Hook {}

    /** Source, in STOP_COPY: sends config, the rest of the state and the end. Answered with {@link Saved}. */
    public record SaveLiveCompletePrecopy(DeviceSink sink, ActorRef<Reply> replyTo) implements Hook {}

    /** Destination: to RESUMING. Answered with {@link Done}. */
    public record LoadSetup(ActorRef<Reply> replyTo) implements Hook {}

    /**
     * Destination: takes a chunk in, which is left alone until the answer, {@link Loaded}; after {@link Failed} it is not to
     * be used again.
     */
    public record LoadState(DeviceChunkKind kind, ByteBuffer chunk, ActorRef<Reply> replyTo) implements Hook {}

    /**
     * Destination: all has come. The device goes to STOP, which makes it check that nothing is missing while the source can
     * still go on. Answered with {@link DigestTaken}.
     */
    public record LoadCleanup(ActorRef<Reply> replyTo) implements Hook {}

    /** Both: STOP_COPY goes to STOP, an unfinished RESUMING is reset to STOP; buffers are freed. */
    public record Cleanup(ActorRef<Reply> replyTo) implements Hook {}

    /**
     * Both: the VM is about to go to {@code to} ({@code prepare}: into the P2P state, if the device has it, and no
     * further), or goes there: RUNNING → RUNNING, FINISH_MIGRATE → STOP_COPY, PAUSED, POSTMIGRATE and INTERNAL_ERROR →
     * STOP; the others change nothing. With several devices, all answer the first before any gets the second.
     */
    public record VmStateChanged(RunState to, boolean prepare, ActorRef<Reply> replyTo) implements Hook {}

    /** Both: CANCELLED and FAILED take it out of pre-copy, and out of ERROR by a reset; the others change nothing. */
    public record MigrationStatusChanged(MigrationStatus status, ActorRef<Reply> replyTo) implements Hook {
        private boolean ends() {
            return switch (status) {
                case CANCELLED, FAILED -> true;
                case NONE, SETUP, ACTIVE, DEVICE, COMPLETED -> false;
            };
        }
    }

    /** Answered at once with {@link Described}, whatever it does. */
    public record Describe(ActorRef<Reply> replyTo) implements Hook {}

    private record Finished(DeviceHooks.Outcome outcome) implements Command {}

    /** The hook that runs hands a chunk to the stream, or has handed it over. */
    private record AtSink(boolean there) implements Command {}

    private record Overdue() implements Command {}

    /** One hook under way. */
    private record Job(DeviceHook hook, String detail, ActorRef<Reply> replyTo) {}

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

        /** The same as it goes over the wire. */
        public DeviceLog log() {
            return new DeviceLog(
                    device,
                    model,
                    state.name(),
                    history.stream().map(DeviceHistory.Entry::seen).toList());
        }
    }

    /** The device failed; {@code state} was read back afterwards, or is the last one seen if it has not come back. */
    public record Failed(String device, DeviceHook hook, String reason, DeviceState state) implements Reply {}

    /** The hook is not one for that state, or too many wait; the device was not touched. */
    public record Rejected(String device, DeviceHook hook, DeviceState state) implements Reply {}

    private final String name;
    private final VfioDevice device;
    private final Executor dataPlane;
    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final StashBuffer<Command> waiting;
    private final DeviceHooks hooks;
    private final DeviceHistory history;
    private final Duration hookTimeout;
    private DeviceState state = DeviceState.STOP;

    private Device(
            String name,
            VfioDevice device,
            Executor dataPlane,
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            StashBuffer<Command> waiting,
            DeviceSettings settings) {
        this.name = name;
        this.device = device;
        this.dataPlane = dataPlane;
        this.context = context;
        this.timers = timers;
        this.waiting = waiting;
        this.hooks = new DeviceHooks(name, device, settings.chunkBytes());
        this.history = new DeviceHistory(settings.historyMax());
        this.hookTimeout = settings.hookTimeout();
    }

    /** The actor of {@code device}, known in the VM as {@code name}; the device is called on {@code dataPlane} only. */
    public static Behavior<Command> create(String name, VfioDevice device, Executor dataPlane) {
        return Behaviors.setup(context -> {
            DeviceSettings settings =
                    DeviceSettings.from(context.getSystem().settings().config());
            return Behaviors.withTimers(timers -> Behaviors.withStash(
                    settings.stashMax(),
                    waiting -> new Device(name, device, dataPlane, context, timers, waiting, settings).start()));
        });
    }

    private Behavior<Command> start() {
        return work(new Job(DeviceHook.DESCRIBE, "", context.getSystem().ignoreRef()), hooks::begin);
    }

    private Behavior<Command> idle() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Describe(var replyTo) -> describe(replyTo, false);
            case Hook hook -> accepts(hook) ? work(job(hook), body(hook)) : reject(hook, "not taken in " + state);
            // the last word of a hook's sink, if the hook ended in it
            case AtSink _, Overdue _ -> Behaviors.same();
            case Finished _ -> throw new IllegalStateException("device " + name + ": a hook ended that never began");
        });
    }

    private Behavior<Command> busy(Job job) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Finished(var outcome) -> {
                timers.cancelAll();
                state = outcome.state();
                // an actor made anew looks where its device stands; that is no hook unless it fails
                if (job.hook() != DeviceHook.DESCRIBE || outcome.failure().isPresent()) {
                    history.add(job.hook(), job.detail(), outcome.states(), outcome.failure());
                }
                job.replyTo().tell(outcome.reply());
                yield waiting.unstashAll(idle());
            }
            case AtSink(var there) -> {
                if (there) {
                    timers.cancelAll();
                } else {
                    startLimit();
                }
                yield Behaviors.same();
            }
            case Overdue() -> {
                String reason = "has not come back within " + hookTimeout.toMillis() + " ms";
                context.getLog().warn("device {}: {} {}", name, job.hook(), reason);
                fail(job, reason);
                yield waiting.unstashAll(overdue(job, Optional.empty()));
            }
            case Describe(var replyTo) -> describe(replyTo, true);
            case Hook hook -> {
                if (waiting.isFull()) {
                    yield reject(hook, "too many hooks wait");
                }
                waiting.stash(hook);
                yield Behaviors.same();
            }
        });
    }

    /** {@code missed}: how the migration ended, if it did since. */
    private Behavior<Command> overdue(Job job, Optional<MigrationStatusChanged> missed) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Finished(var outcome) -> {
                state = outcome.state();
                String late = "came back late"
                        + outcome.failure().map(why -> ": " + why).orElse("");
                history.add(job.hook(), job.detail(), outcome.states(), Optional.of(late));
                context.getLog().warn("device {}: {} {}; it stands in {}", name, job.hook(), late, state);
                yield missed.isPresent()
                        ? work(
                                new Job(
                                        DeviceHook.MIGRATION_STATUS_CHANGED,
                                        detail(missed.get()),
                                        context.getSystem().ignoreRef()),
                                body(missed.get()))
                        : idle();
            }
            case Describe(var replyTo) -> describe(replyTo, true);
            case Hook hook -> {
                fail(
                        job(hook),
                        "still busy in " + job.hook() + ", which has not come back within " + hookTimeout.toMillis()
                                + " ms");
                yield hook instanceof MigrationStatusChanged ended && ended.ends()
                        ? overdue(job, Optional.of(ended))
                        : Behaviors.same();
            }
            case AtSink _, Overdue _ -> Behaviors.same();
        });
    }

    /** Whether the state in which the device was last seen has use for a hook. */
    private boolean accepts(Hook hook) {
        return switch (hook) {
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
            case Cleanup _, MigrationStatusChanged _, Describe _ -> true;
        };
    }

    private DeviceHooks.Work body(Hook hook) {
        return switch (hook) {
            case SaveSetup _ -> hooks::saveSetup;
            case SaveLivePending _ -> _ -> hooks.pending();
            case SaveLiveIterate(var sink, var maxBytes, var _) -> {
                DeviceSink watched = watched(sink);
                yield walk -> hooks.iterate(walk, watched, maxBytes);
            }
            case SaveLiveCompletePrecopy(var sink, var _) -> {
                DeviceSink watched = watched(sink);
                yield _ -> hooks.complete(watched);
            }
            case LoadSetup _ -> hooks::loadSetup;
            case LoadState(var kind, var chunk, var _) -> _ -> hooks.load(kind, chunk);
            case LoadCleanup _ -> hooks::loadCleanup;
            case Cleanup _ -> hooks::cleanup;
            case VmStateChanged(var to, var prepare, var _) -> walk -> hooks.vmStateChanged(walk, to, prepare);
            case MigrationStatusChanged ended -> ended.ends() ? hooks::migrationEnded : hooks::done;
            case Describe _ -> hooks::done;
        };
    }

    private static Job job(Hook hook) {
        return new Job(hookOf(hook), detail(hook), hook.replyTo());
    }

    private static DeviceHook hookOf(Hook hook) {
        return switch (hook) {
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
        };
    }

    private static String detail(Hook hook) {
        return switch (hook) {
            case LoadState(var kind, var _, var _) -> kind.name();
            case VmStateChanged(var to, var prepare, var _) -> prepare ? to + ", prepare" : to.name();
            case MigrationStatusChanged(var status, var _) -> status.name();
            case SaveSetup _,
                    SaveLivePending _,
                    SaveLiveIterate _,
                    SaveLiveCompletePrecopy _,
                    LoadSetup _,
                    LoadCleanup _,
                    Cleanup _,
                    Describe _ -> "";
        };
    }

    private Behavior<Command> reject(Hook hook, String why) {
        history.add(hookOf(hook), detail(hook), List.of(state), Optional.of("refused: " + why));
        hook.replyTo().tell(new Rejected(name, hookOf(hook), state));
        return Behaviors.same();
    }

    /** Answers a hook whose device has not been asked, or has not answered. */
    private void fail(Job job, String reason) {
        history.add(job.hook(), job.detail(), List.of(state), Optional.of(reason));
        job.replyTo().tell(new Failed(name, job.hook(), reason, state));
    }

    private Behavior<Command> describe(ActorRef<Reply> replyTo, boolean busy) {
        replyTo.tell(new Described(name, device.model(), state, busy, history.entries()));
        return Behaviors.same();
    }

    private Behavior<Command> work(Job job, DeviceHooks.Work body) {
        startLimit();
        CompletableFuture<DeviceHooks.Outcome> running;
        try {
            running = CompletableFuture.supplyAsync(() -> hooks.run(job.hook(), body), dataPlane);
        } catch (RejectedExecutionException e) {
            timers.cancelAll();
            fail(job, "the data plane takes no more work");
            return idle();
        }
        DeviceState before = state;
        context.pipeToSelf(
                running, (outcome, error) -> new Finished(outcome != null ? outcome : died(job.hook(), before, error)));
        return busy(job);
    }

    private void startLimit() {
        timers.startSingleTimer(new Overdue(), hookTimeout);
    }

    /** Tells the actor when the hook is in the stream, not in the device. */
    private DeviceSink watched(DeviceSink sink) {
        ActorRef<Command> self = context.getSelf();
        return (chunkOf, kind, data) -> {
            self.tell(new AtSink(true));
            try {
                sink.chunk(chunkOf, kind, data);
            } finally {
                self.tell(new AtSink(false));
            }
        };
    }

    /** Not even the state could be read back: an error in the device's own code. */
    private DeviceHooks.Outcome died(DeviceHook hook, DeviceState before, Throwable error) {
        String reason = "its code failed: " + error;
        return new DeviceHooks.Outcome(new Failed(name, hook, reason, before), List.of(before), Optional.of(reason));
    }
}
