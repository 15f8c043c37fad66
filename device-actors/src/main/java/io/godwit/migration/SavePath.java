package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.device.DeviceState;
import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.Preamble;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.RunStateChange;
import io.godwit.vm.VmParts;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One VM leaving this host, in the order of vfio-migration section 5. A child of its Vm actor, which passes on what the
 * coordinator decides.
 *
 * <pre>
 * connecting → accepting → settingUp → active → quiescing → stopping → copying → awaiting → (released)
 *      up to quiescing: failure or Cancel → draining → undoing: Failed, the VM runs here as if nothing had been
 *      from stopping on: failure → stranded: Failed(surrendered), the VM stands still
 *      awaiting, stranded: Release → (released); RollBack → rollingBack: the VM runs here under the new epoch
 *      (its Vm repeats RollBack until it took effect: earlier states only let what is under way end)
 * </pre>
 *
 * The actor decides; page and device bytes go through {@link StreamWriter} on the data plane. One bitmap of pending pages
 * is shared with the sender: syncs add to it while the sender takes from it.
 */
public final class SavePath {
    /** What its Vm tells it. */
    public sealed interface Command {}

    /** The handoff is durable: stop and send the rest. Accepted while active. */
    public record SwitchOver() implements Command {}

    /** Give up, the VM goes on here. Without effect once it was told to switch over: the ledger decides from then on. */
    public record Cancel(String reason) implements Command {}

    /** The ledger aborted the handoff and granted {@code epoch} to this host: run again. */
    public record RollBack(long epoch, boolean cancelled) implements Command {}

    /** The ledger committed and the destination runs: let go. */
    public record Release() implements Command {}

    private record Tick() implements Command {}

    private record StepTimedOut(String step) implements Command {}

    private record Opened(@Nullable StreamWriter stream, String error) implements Command {}

    private record Answered(@Nullable Answer answer, String error) implements Command {}

    private record TrackingStarted(String error) implements Command {}

    private record HooksDone(DeviceRound.Result result) implements Command {}

    private record PassEnded(String error) implements Command {}

    private record Synced(DirtySync.Result result) implements Command {}

    private record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    private record Undone(Undo.Result result) implements Command {}

    private record CopyEnded(StopAndCopy.Outcome outcome) implements Command {}

    /** What its Vm hears. */
    public sealed interface Event {
        /** Devices and dirty logs are set up; pre-copy runs. */
        record Started() implements Event {}

        /** One sync. */
        record Progressed(Progress progress) implements Event {}

        /** The predicted downtime is within the limit. Said once. */
        record Ready(SaveStats stats) implements Event {}

        /** It cannot go on. {@code surrendered}: the vCPUs stand still and it waits for RollBack or Release. */
        record Failed(String reason, boolean cancelled, boolean surrendered, List<StateTriple> states)
                implements Event {}

        /** After RollBack: the VM runs here again. {@code error} is empty, or why it does not. */
        record RolledBack(long epoch, String error, List<StateTriple> states) implements Event {}

        /** After Release: nothing here touches the guest any more. */
        record Released(SaveStats stats, Downtime downtime, List<StateTriple> states) implements Event {}
    }

    /** How a stream to the destination is opened; blocks. */
    @FunctionalInterface
    public interface StreamOpener {
        /** Connects, or throws an IOException that names the endpoint and why. */
        StreamWriter open(DataEndpoint to, long bandwidthBytesPerSecond) throws Exception;
    }

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final VmParts parts;
    private final Preamble preamble;
    private final MigrationOptions options;
    private final MigrationSettings settings;
    private final StreamOpener opener;
    private final MonotonicClock clock;
    private final ActorRef<Event> observer;
    private final DowntimeModel model;
    private final StateTrail trail;
    private final SaveCounters counters;
    private final DirtyBitmap pending;
    private DirtyBitmap heldBack;
    private DirtyBitmap heldBackBefore;
    private List<DeviceState> devices;
    private @Nullable StreamWriter writer;
    private @Nullable RamSender sender;

    /** Data-plane jobs and rounds of hooks not yet ended. Nothing is torn down while any is. */
    private int inFlight;

    private volatile boolean stopSending;
    private boolean passRuns;
    private boolean syncRuns;
    private boolean asked;
    private long predictedBefore = Long.MAX_VALUE;

    private SavePath(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            VmParts parts,
            Preamble preamble,
            MigrationOptions options,
            MigrationSettings settings,
            StreamOpener opener,
            MonotonicClock clock,
            ActorRef<Event> observer) {
        this.context = context;
        this.timers = timers;
        this.parts = parts;
        this.preamble = preamble;
        this.options = options;
        this.settings = settings;
        this.opener = opener;
        this.clock = clock;
        this.observer = observer;
        GuestMemory memory = parts.guest().memory();
        this.model = DowntimeModel.of(settings, memory.bytes(), options.verify());
        this.trail = new StateTrail(settings.statesMax());
        this.counters = new SaveCounters(memory.bytes());
        this.pending = new DirtyBitmap(memory.pages());
        this.heldBack = new DirtyBitmap(memory.pages());
        this.heldBackBefore = new DirtyBitmap(memory.pages());
        this.devices = Collections.nCopies(parts.devices().size(), DeviceState.RUNNING);
    }

    /** Begins at once: connects to {@code to}. */
    public static Behavior<Command> create(
            VmParts parts,
            Preamble preamble,
            DataEndpoint to,
            MigrationOptions options,
            MigrationSettings settings,
            StreamOpener opener,
            MonotonicClock clock,
            ActorRef<Event> observer) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new SavePath(context, timers, parts, preamble, options, settings, opener, clock, observer)
                        .connecting(to)));
    }

    private Behavior<Command> connecting(DataEndpoint to) {
        publish(RunState.RUNNING, MigrationStatus.NONE);
        startStep("connecting to " + to);
        io(() -> opener.open(to, options.bandwidthBytesPerSecond()), (stream, error) -> new Opened(stream, error));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Opened opened -> {
                inFlight--;
                StreamWriter stream = opened.stream();
                if (stream == null) {
                    yield draining(opened.error(), false);
                }
                writer = stream;
                sender = stream.sender(parts.guest().memory());
                yield accepting(stream);
            }
            case StepTimedOut(var step) -> draining(step + " took too long", false);
            case Cancel(var reason) -> draining(reason, true);
            case SwitchOver _, RollBack _, Release _, Tick _ -> Behaviors.unhandled();
            case Answered _,
                    TrackingStarted _,
                    HooksDone _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _,
                    CopyEnded _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> accepting(StreamWriter stream) {
        startStep("the destination's answer");
        io(
                () -> {
                    stream.preamble(preamble);
                    return stream.readAnswer();
                },
                Answered::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Answered(var answer, var error) -> {
                inFlight--;
                yield answer instanceof Answer.Accepted ? settingUp(stream) : draining(why(answer, error), false);
            }
            case StepTimedOut(var step) -> draining(step + " did not come in time", false);
            case Cancel(var reason) -> draining(reason, true);
            case SwitchOver _, RollBack _, Release _, Tick _ -> Behaviors.unhandled();
            case Opened _,
                    TrackingStarted _,
                    HooksDone _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _,
                    CopyEnded _ -> Behaviors.unhandled();
        });
    }

    /** Dirty tracking first, of the CPUs and in every container; then save_setup on every device; then all is pending. */
    private Behavior<Command> settingUp(StreamWriter stream) {
        startStep("save_setup");
        inFlight++;
        context.spawnAnonymous(TrackingChange.create(
                parts, true, context.messageAdapter(TrackingChange.Result.class, r -> new TrackingStarted(r.error()))));
        return Behaviors.receiveMessage(command -> switch (command) {
            case TrackingStarted(var error) -> {
                inFlight--;
                if (!error.isEmpty()) {
                    yield draining(error, false);
                }
                hooks(Device.SaveSetup::new);
                yield Behaviors.same();
            }
            case HooksDone(var result) -> {
                inFlight--;
                if (result.error().isPresent()) {
                    yield draining("save_setup: " + result.error().get(), false);
                }
                devices = result.states();
                publish(RunState.RUNNING, MigrationStatus.SETUP);
                pending.setAll();
                yield active(stream);
            }
            case StepTimedOut(var step) -> draining(step + " took too long", false);
            case Cancel(var reason) -> draining(reason, true);
            case SwitchOver _, RollBack _, Release _, Tick _ -> Behaviors.unhandled();
            case Opened _, Answered _, PassEnded _, Synced _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    private Behavior<Command> active(StreamWriter stream) {
        timers.cancelAll();
        counters.precopyBeganNanos = clock.nanoTime();
        publish(RunState.RUNNING, MigrationStatus.ACTIVE);
        observer.tell(new Event.Started());
        timers.startTimerAtFixedRate(new Tick(), settings.tick());
        sync();
        return Behaviors.receiveMessage(command -> switch (command) {
            case Tick() -> {
                sync();
                yield Behaviors.same();
            }
            case Synced(var result) -> {
                inFlight--;
                syncRuns = false;
                yield result.error().isPresent()
                        ? draining("dirty sync: " + result.error().get(), false)
                        : decide(stream, result);
            }
            case PassEnded(var error) -> {
                passEnded(stream);
                if (!error.isEmpty()) {
                    yield draining("stream: " + error, false);
                }
                // all that was known to be dirty is sent: look again at once, not at the next tick
                sync();
                yield Behaviors.same();
            }
            case HooksDone(var result) -> {
                iterated(result);
                yield result.error().isPresent()
                        ? draining("save_live_iterate: " + result.error().get(), false)
                        : Behaviors.same();
            }
            case SwitchOver() -> quiescing(stream);
            case Cancel(var reason) -> draining(reason, true);
            case RollBack _, Release _, StepTimedOut _ -> Behaviors.unhandled();
            case Opened _, Answered _, TrackingStarted _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    private void sync() {
        if (!syncRuns) {
            syncRuns = true;
            inFlight++;
            DirtyBitmap recycled = heldBackBefore;
            heldBackBefore = heldBack;
            heldBack = recycled;
            heldBack.clear();
            context.spawnAnonymous(DirtySync.create(
                    parts, pending, heldBack, false, context.messageAdapter(DirtySync.Result.class, Synced::new)));
        }
    }

    /** After a sync: what is left, what the standstill would be, and whether to go on, ask for the switchover, or end. */
    private Behavior<Command> decide(StreamWriter stream, DirtySync.Result sync) {
        long now = clock.nanoTime();
        // a page held back before and no longer known to be dirty at the stop must be sent after all
        heldBackBefore.andNot(heldBack);
        pending.or(heldBackBefore);
        pending.andNot(heldBack);
        if (counters.iterations++ > 0) {
            counters.dirtiedPages += sync.cpuPages() + sync.dmaPages();
        }
        if (passRuns) {
            counters.sample(stream, now);
        }
        long bandwidth = counters.meter.bytesPerSecond();
        long ramLeft = pending.count() * GuestMemory.PAGE_SIZE;
        long pinned = sync.pinnedPages() * GuestMemory.PAGE_SIZE;
        long predicted = model.predictMicros(ramLeft, pinned, sync.stopCopyBytes(), bandwidth);
        long floor = model.floorMicros(pinned, Math.max(0, sync.stopCopyBytes() - sync.precopyBytes()), bandwidth);
        observer.tell(
                new Event.Progressed(counters.progress(trail.last(), sync, stream, now, ramLeft, predicted, floor)));
        if (ramLeft > 0) {
            send(stream);
        }
        if (sync.precopyBytes() >= settings.deviceThresholdBytes()) {
            hooks(replies -> new Device.SaveLiveIterate(stream, settings.deviceIterateBytesMax(), replies));
        }
        if (asked || bandwidth == 0) {
            return Behaviors.same();
        }
        long budget = TimeUnit.MILLISECONDS.toMicros(parts.spec().blackoutBudgetMs());
        long limit = Math.min(budget, TimeUnit.MILLISECONDS.toMicros(options.downtimeLimitMs()));
        // the limit is what is bearable, not what is wanted: while another round still shortens it much, take the round
        boolean improving = predicted < predictedBefore - predictedBefore / 4;
        predictedBefore = predicted;
        if (predicted <= limit && !improving) {
            asked = true;
            counters.predictedMicros = predicted;
            observer.tell(new Event.Ready(counters.stats(stream, now)));
            return Behaviors.same();
        }
        if (floor > limit && counters.meter.settled()) {
            return draining(
                    "the standstill cannot be shorter than " + millis(floor) + " (" + pinned
                            + " pinned bytes, device state and fixed costs at " + bandwidth
                            + " bytes/s), over the limit of " + millis(limit),
                    false);
        }
        if (now - counters.precopyBeganNanos > settings.precopyTimeout().toNanos()) {
            return draining(
                    "did not converge within " + settings.precopyTimeout().toSeconds()
                            + " s of pre-copy: a standstill of " + millis(predicted) + " would be needed, the limit is "
                            + millis(limit),
                    false);
        }
        return Behaviors.same();
    }

    private void send(StreamWriter stream) {
        RamSender ram = sender;
        if (!passRuns && ram != null) {
            passRuns = true;
            counters.sendingFrom(stream, clock.nanoTime());
            io(() -> ram.send(pending, () -> stopSending), (_, error) -> new PassEnded(error));
        }
    }

    private void passEnded(StreamWriter stream) {
        inFlight--;
        passRuns = false;
        counters.sample(stream, clock.nanoTime());
    }

    private void iterated(DeviceRound.Result result) {
        inFlight--;
        for (Device.Reply reply : result.replies().values()) {
            if (reply instanceof Device.Iterated iterated) {
                counters.deviceBytes += iterated.bytes();
            }
        }
    }

    /** The handoff is open: let what is under way end while the VM still runs, so that none of it is standstill. */
    private Behavior<Command> quiescing(StreamWriter stream) {
        timers.cancelAll();
        stopSending = true;
        if (inFlight == 0) {
            return stopping(stream);
        }
        return Behaviors.receiveMessage(command -> {
            String error = "";
            switch (command) {
                case PassEnded(var failed) -> {
                    passEnded(stream);
                    error = failed;
                }
                case Synced(var result) -> {
                    inFlight--;
                    // the next sync, with everything stopped, reports all of this again or finds it still pending
                    pending.or(heldBack);
                    pending.or(heldBackBefore);
                    error = result.error().orElse("");
                }
                case HooksDone(var result) -> {
                    iterated(result);
                    error = result.error().orElse("");
                }
                case SwitchOver _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> {}
                case Opened _, Answered _, TrackingStarted _, RunStateReplied _, Undone _, CopyEnded _ -> {
                    return Behaviors.unhandled();
                }
            }
            if (!error.isEmpty()) {
                return draining("before the stop: " + error, false);
            }
            return inFlight == 0 ? stopping(stream) : Behaviors.same();
        });
    }

    private Behavior<Command> stopping(StreamWriter stream) {
        counters.precopyEndedNanos = clock.nanoTime();
        counters.stopAskedNanos = counters.precopyEndedNanos;
        pending.or(heldBack);
        stream.rateLimit(0);
        context.spawnAnonymous(RunStateChange.create(
                parts,
                preamble.epoch(),
                RunState.FINISH_MIGRATE,
                context.messageAdapter(RunStateChange.Outcome.class, RunStateReplied::new)));
        inFlight++;
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed(var _, var states)) -> {
                inFlight--;
                devices = states;
                publish(RunState.FINISH_MIGRATE, MigrationStatus.DEVICE);
                yield copying(stream);
            }
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                inFlight--;
                yield stranded("stopping: " + reason);
            }
            case SwitchOver _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _, Answered _, TrackingStarted _, HooksDone _, PassEnded _, Synced _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    private Behavior<Command> copying(StreamWriter stream) {
        counters.stoppedNanos = clock.nanoTime();
        inFlight++;
        context.spawnAnonymous(StopAndCopy.create(
                parts,
                stream,
                stream.sender(parts.guest().memory()),
                pending,
                options.verify(),
                clock,
                context.messageAdapter(StopAndCopy.Outcome.class, CopyEnded::new)));
        startStep("the last copy");
        return Behaviors.receiveMessage(command -> switch (command) {
            case CopyEnded(StopAndCopy.Outcome.Copied copied) -> {
                inFlight--;
                counters.copied = copied;
                counters.deviceBytes += copied.deviceBytes();
                counters.dirtiedPages += copied.dirtyPages();
                yield awaiting(stream);
            }
            case CopyEnded(StopAndCopy.Outcome.NotCopied(var reason)) -> {
                inFlight--;
                yield stranded(reason);
            }
            case StepTimedOut(var step) -> {
                // a peer that takes nothing any more: closing makes the copy fail, which is then reported
                closeStream();
                context.getLog().warn("{}: {} took too long", preamble.migration(), step);
                yield Behaviors.same();
            }
            case RollBack _ -> {
                // the ledger has aborted meanwhile: end the copy; the Vm says it again once that is reported
                closeStream();
                yield Behaviors.same();
            }
            case SwitchOver _, Cancel _, Release _, Tick _ -> Behaviors.same();
            case Opened _,
                    Answered _,
                    TrackingStarted _,
                    HooksDone _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _ -> Behaviors.unhandled();
        });
    }

    /** All is sent. The devices come to rest off the critical path; the destination's two answers are only timed here. */
    private Behavior<Command> awaiting(StreamWriter stream) {
        timers.cancelAll();
        hooks(Device.Cleanup::new);
        io(stream::readAnswer, Answered::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                atRest(result);
                yield Behaviors.same();
            }
            case Answered(Answer.Loaded _, var _) -> {
                inFlight--;
                counters.loadedNanos = clock.nanoTime();
                io(stream::readAnswer, Answered::new);
                yield Behaviors.same();
            }
            case Answered(Answer.Running(var micros), var _) -> {
                inFlight--;
                counters.runningNanos = clock.nanoTime();
                counters.resumeMicros = micros;
                yield Behaviors.same();
            }
            case Answered(var answer, var error) -> {
                inFlight--;
                yield stranded(why(answer, error));
            }
            case Release() -> releasing();
            case RollBack(var epoch, var cancelled) -> rollingBack(epoch, cancelled);
            case SwitchOver _, Cancel _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _, TrackingStarted _, PassEnded _, Synced _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    /**
     * The destination runs. Its last answer, which ends the measured standstill, may still be on its way, and the devices
     * may still be coming to rest.
     */
    private Behavior<Command> releasing() {
        if (inFlight == 0) {
            return released();
        }
        startStep("the destination's last answer");
        return Behaviors.receiveMessage(command -> switch (command) {
            case Answered(var answer, var _) -> {
                inFlight--;
                if (answer instanceof Answer.Running(var micros)) {
                    counters.runningNanos = clock.nanoTime();
                    counters.resumeMicros = micros;
                } else if (answer instanceof Answer.Loaded && writer != null) {
                    counters.loadedNanos = clock.nanoTime();
                    io(writer::readAnswer, Answered::new);
                }
                yield inFlight == 0 ? released() : Behaviors.same();
            }
            case HooksDone(var result) -> {
                atRest(result);
                yield inFlight == 0 ? released() : Behaviors.same();
            }
            case StepTimedOut _ -> {
                closeStream();
                yield Behaviors.same();
            }
            case PassEnded _, CopyEnded _, Undone _, Synced _, RunStateReplied _, TrackingStarted _ -> {
                inFlight--;
                yield inFlight == 0 ? released() : Behaviors.same();
            }
            case SwitchOver _, Cancel _, Tick _, RollBack _, Release _ -> Behaviors.same();
            case Opened _ -> Behaviors.unhandled();
        });
    }

    private void atRest(DeviceRound.Result result) {
        inFlight--;
        devices = result.states();
        publish(RunState.FINISH_MIGRATE, MigrationStatus.DEVICE);
    }

    private Behavior<Command> released() {
        timers.cancelAll();
        closeStream();
        publish(RunState.FINISH_MIGRATE, MigrationStatus.COMPLETED);
        observer.tell(new Event.Released(counters.stats(writer, clock.nanoTime()), counters.downtime(), trail.all()));
        return Behaviors.stopped();
    }

    /** Stands still, and only the ledger knows for whom. */
    private Behavior<Command> stranded(String reason) {
        timers.cancelAll();
        closeStream();
        observer.tell(new Event.Failed(reason, false, true, trail.all()));
        return Behaviors.receiveMessage(command -> switch (command) {
            case RollBack(var epoch, var cancelled) -> rollingBack(epoch, cancelled);
            case Release() -> releasing();
            case Answered _,
                    HooksDone _,
                    PassEnded _,
                    Undone _,
                    CopyEnded _,
                    Synced _,
                    RunStateReplied _,
                    TrackingStarted _ -> {
                inFlight--;
                yield Behaviors.same();
            }
            case SwitchOver _, Cancel _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> rollingBack(long epoch, boolean cancelled) {
        MigrationStatus status = cancelled ? MigrationStatus.CANCELLED : MigrationStatus.FAILED;
        return undoing(status, epoch, error -> observer.tell(new Event.RolledBack(epoch, error, trail.all())));
    }

    /** Ends pre-copy: waits until nothing is in flight, then undoes the set-up. */
    private Behavior<Command> draining(String reason, boolean cancelled) {
        MigrationStatus status = cancelled ? MigrationStatus.CANCELLED : MigrationStatus.FAILED;
        return undoing(
                status,
                preamble.epoch(),
                error -> observer.tell(new Event.Failed(
                        error.isEmpty() ? reason : reason + "; and while undoing: " + error,
                        cancelled,
                        false,
                        trail.all())));
    }

    private Behavior<Command> undoing(MigrationStatus status, long epoch, Consumer<String> done) {
        timers.cancelAll();
        stopSending = true;
        closeStream();
        if (inFlight > 0) {
            return whenQuiet(() -> undoing(status, epoch, done));
        }
        inFlight++;
        context.spawnAnonymous(
                Undo.create(parts, epoch, status, context.messageAdapter(Undo.Result.class, Undone::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Undone(var result) -> {
                devices = result.devices();
                publish(RunState.RUNNING, status);
                done.accept(result.error());
                yield Behaviors.stopped();
            }
            case SwitchOver _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _,
                    Answered _,
                    TrackingStarted _,
                    HooksDone _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    CopyEnded _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> whenQuiet(Supplier<Behavior<Command>> next) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Opened opened -> {
                inFlight--;
                StreamWriter late = opened.stream();
                if (late != null) {
                    parts.dataPlane().execute(() -> closeQuietly(late));
                }
                yield inFlight == 0 ? next.get() : Behaviors.same();
            }
            case Answered _,
                    TrackingStarted _,
                    HooksDone _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _,
                    CopyEnded _ -> {
                inFlight--;
                yield inFlight == 0 ? next.get() : Behaviors.same();
            }
            case SwitchOver _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> Behaviors.same();
        });
    }

    private void hooks(Function<ActorRef<Device.Reply>, Device.Command> hook) {
        inFlight++;
        context.spawnAnonymous(DeviceRound.create(
                parts.devices(), hook, context.messageAdapter(DeviceRound.Result.class, HooksDone::new)));
    }

    private <T> void io(Callable<T> job, BiFunction<@Nullable T, String, Command> done) {
        inFlight++;
        context.pipeToSelf(
                DataPlane.call(job, parts.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }

    private void startStep(String step) {
        timers.startSingleTimer("step", new StepTimedOut(step), settings.stepTimeout());
    }

    private void publish(RunState vm, MigrationStatus status) {
        trail.publish(vm, status, devices);
    }

    private void closeStream() {
        if (writer != null) {
            closeQuietly(writer);
        }
    }

    private static void closeQuietly(StreamWriter stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // closed by the other side, or already: either way nothing more goes through it
            return;
        }
    }

    private static String why(@Nullable Answer answer, String error) {
        return switch (answer) {
            case null -> "stream: " + error;
            case Answer.Refused(var reason) -> "the destination refused: " + reason;
            case Answer.Accepted _, Answer.Loaded _, Answer.Running _ ->
                "the destination answered out of turn: " + answer;
        };
    }

    private static String millis(long micros) {
        return TimeUnit.MICROSECONDS.toMillis(micros) + " ms";
    }
}
