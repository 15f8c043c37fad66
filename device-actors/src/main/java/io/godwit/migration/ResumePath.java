package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.Digests;
import io.godwit.stream.Preamble;
import io.godwit.stream.RamDigest;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSink;
import io.godwit.vm.RunStateChange;
import io.godwit.vm.VmParts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One VM arriving on this host, in the order of vfio-migration section 6. A child of its Vm actor, which has prepared an
 * empty guest and passes on what the coordinator decides.
 *
 * <pre>
 * waiting → settingUp → receiving → checking → loaded → resuming → (Running)
 *                                                 loaded ← mending ← resuming: it did not start
 *      any before resuming: failure or Discard → ending: Failed or Discarded; nothing touches the guest any more
 * </pre>
 */
public final class ResumePath {
    /** What its Vm tells it. */
    public sealed interface Command {}

    /** The source has connected; {@code reader} stands behind the preamble. */
    public record Arrived(Preamble preamble, StreamReader reader) implements Command {}

    /** The ledger granted {@code epoch} to this host: run. Accepted once loaded. */
    public record Run(long epoch) implements Command {}

    /** The copy is not wanted. */
    public record Discard(String reason) implements Command {}

    private record HooksDone(DeviceRound.Result result) implements Command {}

    private record Received(@Nullable Digests theirs, String error) implements Command {}

    private record Digested(@Nullable Digests ours, String error) implements Command {}

    private record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    /** What its Vm hears. */
    public sealed interface Event {
        /** All is in place; with {@code verified} the digests of both sides were equal. The guest stands still. */
        record Loaded(boolean verified) implements Event {}

        /** The guest runs. */
        record Running(long epoch, List<StateTriple> states) implements Event {}

        /** Granted, but it could not be started; it stands still, complete, and may be told to run again. */
        record NotRunning(long epoch, String reason) implements Event {}

        /** It could not be loaded; nothing touches the guest any more. */
        record Failed(String reason) implements Event {}

        /** After Discard; nothing touches the guest any more. */
        record Discarded() implements Event {}
    }

    private final ActorContext<Command> context;
    private final VmParts parts;
    private final Preamble expected;
    private final MigrationSettings settings;
    private final MonotonicClock clock;
    private final ActorRef<Event> observer;
    private final StateTrail trail;
    private final InOrder answers;
    private @Nullable StreamReader reader;
    private int inFlight;
    private boolean complete;

    private ResumePath(
            ActorContext<Command> context,
            VmParts parts,
            Preamble expected,
            MigrationSettings settings,
            MonotonicClock clock,
            ActorRef<Event> observer) {
        this.context = context;
        this.parts = parts;
        this.expected = expected;
        this.settings = settings;
        this.clock = clock;
        this.observer = observer;
        this.trail = new StateTrail(settings.statesMax());
        this.answers = new InOrder(parts.dataPlane());
    }

    /** Waits for the stream. {@code expected}: the preamble that fits the guest that was prepared. */
    public static Behavior<Command> create(
            VmParts parts,
            Preamble expected,
            MigrationSettings settings,
            MonotonicClock clock,
            ActorRef<Event> observer) {
        return Behaviors.setup(context -> {
            ResumePath path = new ResumePath(context, parts, expected, settings, clock, observer);
            return Behaviors.intercept(() -> new Mishaps<>(Command.class, path::mishap), path.waiting());
        });
    }

    /** Turns a stream away: answers with the reason, and closes it. Blocks. */
    public static void refuse(StreamReader stream, String reason) {
        try (stream) {
            stream.answer(new Answer.Refused(reason));
        } catch (IOException e) {
            // the source has gone already, or does not listen: there is nobody to tell
            return;
        }
    }

    private Behavior<Command> waiting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Arrived(var preamble, var stream) -> {
                reader = stream;
                Optional<String> mismatch = PreambleCheck.mismatch(expected, preamble);
                yield mismatch.isPresent() ? failing(mismatch.get()) : settingUp(stream);
            }
            case Discard _ -> discarding();
            case Run _ -> Behaviors.unhandled();
            case HooksDone _, Received _, Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    /** Devices come to a stop before they are set up: a new device may stand in RUNNING. Then load_setup. */
    private Behavior<Command> settingUp(StreamReader stream) {
        hooks(replies -> new Device.VmStateChanged(RunState.PAUSED, false, replies));
        boolean[] stopped = {false};
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                inFlight--;
                if (result.error().isPresent()) {
                    yield failing("load_setup: " + result.error().get());
                }
                trail.publish(RunState.RESTORE_VM, MigrationStatus.ACTIVE, result.states());
                if (!stopped[0]) {
                    stopped[0] = true;
                    hooks(Device.LoadSetup::new);
                    yield Behaviors.same();
                }
                yield receiving(stream);
            }
            case Discard _ -> discarding();
            case Arrived arrived -> second(arrived);
            case Run _, Received _, Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> receiving(StreamReader stream) {
        Scheduler scheduler = context.getSystem().scheduler();
        InitialData initial = new InitialData(expected.devices());
        StreamSink sink = new StreamSink() {
            @Override
            public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) throws IOException {
                ActorRef<Device.Command> target = parts.devices().get(device);
                if (target == null) {
                    throw new IOException("no device " + device + " here");
                }
                Device.Reply reply = AskPattern.<Device.Command, Device.Reply>ask(
                                target,
                                replyTo -> new Device.LoadState(kind, chunk, replyTo),
                                settings.stepTimeout(),
                                scheduler)
                        .toCompletableFuture()
                        .join();
                switch (reply) {
                    case Device.Failed failed -> throw new IOException(DeviceRound.describe(failed));
                    case Device.Rejected rejected -> throw new IOException(DeviceRound.describe(rejected));
                    case Device.Done _,
                            Device.Pending _,
                            Device.Iterated _,
                            Device.Loaded _,
                            Device.Saved _,
                            Device.DigestTaken _,
                            Device.Described _ -> {}
                }
                if (kind == DeviceChunkKind.INITIAL_END && initial.loaded(device)) {
                    stream.answer(new Answer.SwitchoverReady());
                }
            }

            @Override
            public void vcpu(int index, byte[] state) throws Exception {
                parts.guest().loadVcpu(index, state);
            }
        };
        io(
                () -> {
                    stream.answer(new Answer.Accepted());
                    return stream.receive(parts.guest().memory(), sink);
                },
                Received::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Received(var theirs, var error) -> {
                inFlight--;
                yield theirs == null ? failing(error) : cleaning(stream, theirs);
            }
            case Discard _ -> discarding();
            case Arrived arrived -> second(arrived);
            case Run _, HooksDone _, Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> cleaning(StreamReader stream, Digests theirs) {
        hooks(Device.LoadCleanup::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                inFlight--;
                if (result.error().isPresent()) {
                    yield failing("load_cleanup: " + result.error().get());
                }
                Map<String, Long> devices = new HashMap<>();
                for (Device.Reply reply : result.replies().values()) {
                    if (reply instanceof Device.DigestTaken taken) {
                        devices.put(taken.device(), taken.digest());
                    }
                }
                yield expected.verify() ? checking(stream, theirs, devices) : loaded(stream, false, 0);
            }
            case Discard _ -> discarding();
            case Arrived arrived -> second(arrived);
            case Run _, Received _, Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> checking(StreamReader stream, Digests theirs, Map<String, Long> devices) {
        long began = clock.nanoTime();
        io(
                () -> {
                    List<byte[]> vcpus = new ArrayList<>();
                    for (int i = 0; i < parts.guest().vcpuCount(); i++) {
                        vcpus.add(parts.guest().saveVcpu(i));
                    }
                    // the source stands still and waits: its core is free for a second thread
                    long ram = RamDigest.of(parts.guest().memory(), parts.dataPlane(), 1);
                    return new Digests(ram, devices, Digests.ofVcpus(vcpus));
                },
                Digested::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Digested(var ours, var error) -> {
                inFlight--;
                if (ours == null) {
                    yield failing("digest: " + error);
                }
                Optional<String> difference = theirs.difference(ours);
                yield difference.isPresent()
                        ? failing(difference.get())
                        : loaded(stream, true, (clock.nanoTime() - began) / 1000);
            }
            case Discard _ -> discarding();
            case Arrived arrived -> second(arrived);
            case Run _, HooksDone _, Received _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> loaded(StreamReader stream, boolean verified, long digestMicros) {
        complete = true;
        observer.tell(new Event.Loaded(verified));
        answer(stream, new Answer.Loaded(verified, digestMicros));
        return standing(stream);
    }

    /** Complete, and only the ledger knows whether it may run. */
    private Behavior<Command> standing(StreamReader stream) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Run(var epoch) -> resuming(stream, epoch);
            case Discard _ -> discarding();
            case Arrived arrived -> second(arrived);
            // the answer was given, or could not be: the ledger decides all the same
            case Received _ -> {
                inFlight--;
                yield Behaviors.same();
            }
            case HooksDone _, Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> resuming(StreamReader stream, long epoch) {
        long began = clock.nanoTime();
        context.spawnAnonymous(RunStateChange.create(
                parts,
                epoch,
                RunState.RUNNING,
                context.messageAdapter(RunStateChange.Outcome.class, RunStateReplied::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed(var _, var devices)) -> {
                answer(stream, new Answer.Running((clock.nanoTime() - began) / 1000));
                trail.publish(RunState.RUNNING, MigrationStatus.NONE, devices);
                observer.tell(new Event.Running(epoch, trail.all()));
                hooks(replies -> new Device.MigrationStatusChanged(MigrationStatus.COMPLETED, replies));
                yield closing(stream);
            }
            // committed: this is the only copy that may run, so it is kept, and tried again when told so again
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) ->
                mending(stream, epoch, reason);
            case Received _ -> {
                inFlight--;
                yield Behaviors.same();
            }
            case Run _, Discard _ -> Behaviors.same();
            case Arrived arrived -> second(arrived);
            case HooksDone _, Digested _ -> Behaviors.unhandled();
        });
    }

    /** A device that broke on its way is reset, or no later attempt could succeed; the others stay where they are. */
    private Behavior<Command> mending(StreamReader stream, long epoch, String reason) {
        hooks(replies -> new Device.MigrationStatusChanged(MigrationStatus.FAILED, replies));
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                inFlight--;
                String error = result.error().map(e -> "; and then: " + e).orElse("");
                observer.tell(new Event.NotRunning(epoch, reason + error));
                yield standing(stream);
            }
            case Received _ -> {
                inFlight--;
                yield Behaviors.same();
            }
            case Run _, Discard _ -> Behaviors.same();
            case Arrived arrived -> second(arrived);
            case Digested _, RunStateReplied _ -> Behaviors.unhandled();
        });
    }

    /** The guest runs; the stream is closed once its last answer is out. */
    private Behavior<Command> closing(StreamReader stream) {
        return whenQuiet(() -> {
            parts.dataPlane().execute(() -> closeQuietly(stream));
            return Behaviors.stopped();
        });
    }

    private static void closeQuietly(StreamReader stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // the source has closed first; nothing more was to be said
            return;
        }
    }

    /** Until it is loaded the copy is worth nothing; then it may be the only one, and stays to be told again to run. */
    private Behavior<Command> mishap(String reason) {
        StreamReader stream = reader;
        return complete && stream != null ? standing(stream) : failing(reason);
    }

    private Behavior<Command> failing(String reason) {
        return ending(MigrationStatus.FAILED, new Answer.Refused(reason), new Event.Failed(reason));
    }

    private Behavior<Command> discarding() {
        return ending(
                MigrationStatus.CANCELLED,
                new Answer.Refused("the destination was told to discard its copy"),
                new Event.Discarded());
    }

    private Behavior<Command> ending(MigrationStatus status, Answer answer, Event event) {
        StreamReader stream = reader;
        if (stream == null) {
            observer.tell(event);
            return Behaviors.stopped();
        }
        hooks(replies -> new Device.MigrationStatusChanged(status, replies));
        // a device does one thing at a time: once it has answered this, a chunk that was given up on is done with too
        hooks(Device.Cleanup::new);
        // a reader that still receives is stopped by the close
        io(
                () -> {
                    try {
                        stream.answer(answer);
                    } finally {
                        stream.close();
                    }
                    return Digests.NONE;
                },
                Received::new);
        return whenQuiet(() -> {
            observer.tell(event);
            return Behaviors.stopped();
        });
    }

    private Behavior<Command> whenQuiet(Supplier<Behavior<Command>> next) {
        if (inFlight == 0) {
            return next.get();
        }
        return Behaviors.receiveMessage(command -> switch (command) {
            case Received _, Digested _, HooksDone _, RunStateReplied _ -> {
                inFlight--;
                yield inFlight == 0 ? next.get() : Behaviors.same();
            }
            case Arrived arrived -> second(arrived);
            case Run _, Discard _ -> Behaviors.same();
        });
    }

    private Behavior<Command> second(Arrived arrived) {
        parts.dataPlane()
                .execute(() -> refuse(arrived.reader(), "a stream for " + expected.migration() + " is already here"));
        return Behaviors.same();
    }

    /** Answers go out in the order in which they were given: the ledger may be as quick as the job that sends the first. */
    private void answer(StreamReader stream, Answer answer) {
        inFlight++;
        context.pipeToSelf(
                answers.call(() -> {
                    stream.answer(answer);
                    return Digests.NONE;
                }),
                (value, thrown) -> new Received(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }

    private void hooks(Function<ActorRef<Device.Reply>, Device.Command> hook) {
        inFlight++;
        DeviceRound.begin(
                context, parts.devices(), hook, context.messageAdapter(DeviceRound.Result.class, HooksDone::new));
    }

    private <T> void io(Callable<T> job, BiFunction<@Nullable T, String, Command> done) {
        inFlight++;
        context.pipeToSelf(
                DataPlane.call(job, parts.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }
}
