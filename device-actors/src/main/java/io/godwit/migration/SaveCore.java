package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.device.DeviceState;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.RunStateChange;
import io.godwit.vm.VmParts;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/** What all states of one save path share. Confined to its actor, but for {@link #stopSending}. */
final class SaveCore {
    final ActorContext<SavePath.Command> context;
    final TimerScheduler<SavePath.Command> timers;
    final VmParts parts;
    final Preamble preamble;
    final MigrationOptions options;
    final Limits limits;
    final MigrationSettings settings;
    final MonotonicClock clock;
    final DataEndpoint to;
    final LearntDowntime learnt;
    final RouteCosts costs;
    final ActorRef<SavePath.Event> observer;
    final StateTrail trail;
    final SaveCounters counters;
    final SavePages pages;
    List<DeviceState> devices;

    /** Whether it was told to switch over and has begun to stop the VM: from then on only the ledger lets it run again. */
    boolean surrendered;

    private @Nullable StreamWriter writer;

    /** Data-plane jobs and rounds of hooks not yet ended. Nothing is torn down while any is. */
    private int inFlight;

    /** Whether one of these waits for an answer of the destination, which may come late or never. */
    private boolean reading;

    private volatile boolean stopSending;

    SaveCore(
            ActorContext<SavePath.Command> context,
            TimerScheduler<SavePath.Command> timers,
            VmParts parts,
            Preamble preamble,
            MigrationOptions options,
            SaveLimits limits,
            MigrationSettings settings,
            MonotonicClock clock,
            DataEndpoint to,
            LearntDowntime learnt,
            ActorRef<SavePath.Event> observer) {
        this.context = context;
        this.timers = timers;
        this.parts = parts;
        this.preamble = preamble;
        this.options = options;
        this.limits = new Limits(limits, parts.spec().blackoutBudgetMs());
        this.settings = settings;
        this.clock = clock;
        this.to = to;
        this.learnt = learnt;
        this.costs = learnt.costs(to, options.verify());
        this.observer = observer;
        GuestMemory memory = parts.guest().memory();
        this.trail = new StateTrail(settings.statesMax());
        this.counters = new SaveCounters(memory.bytes(), costs, settings);
        this.pages = new SavePages(memory.pages());
        this.devices = Collections.nCopies(parts.devices().size(), DeviceState.RUNNING);
    }

    /** The stream is open; whoever ends the path closes it. */
    void opened(StreamWriter stream) {
        writer = stream;
    }

    @Nullable
    StreamWriter stream() {
        return writer;
    }

    /** A job or a round of hooks begins; its last message is answered with {@link #ended}. */
    void began() {
        inFlight++;
    }

    void ended() {
        if (--inFlight < 0) {
            throw new IllegalStateException("more has ended than was begun");
        }
    }

    boolean quiet() {
        return inFlight == 0;
    }

    /** Whether nothing is in flight that ends by itself. */
    boolean quietButForAnswers() {
        return inFlight == (reading ? 1 : 0);
    }

    /** Lets the pass that sends RAM end after its present run. For good. */
    void stopSending() {
        stopSending = true;
    }

    boolean sendingStopped() {
        return stopSending;
    }

    void hooks(Function<ActorRef<Device.Reply>, Device.Command> hook) {
        began();
        DeviceRound.begin(
                context,
                parts.devices(),
                hook,
                context.messageAdapter(DeviceRound.Result.class, SavePath.HooksDone::new));
    }

    void changeRunState(RunState target) {
        began();
        context.spawnAnonymous(RunStateChange.create(
                parts,
                preamble.epoch(),
                target,
                context.messageAdapter(RunStateChange.Outcome.class, SavePath.RunStateReplied::new)));
    }

    <T> void io(Callable<T> job, BiFunction<@Nullable T, String, SavePath.Command> done) {
        began();
        context.pipeToSelf(
                DataPlane.call(job, parts.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }

    /** Waits for the destination's next answer; what comes is followed by {@link #answered}. One at a time. */
    void readAnswer(StreamWriter stream) {
        reading(stream::readAnswer);
    }

    /** Opens the stream and waits for the first answer. */
    void sendPreamble(StreamWriter stream) {
        reading(() -> {
            stream.preamble(preamble);
            return stream.readAnswer();
        });
    }

    private void reading(Callable<Answer> job) {
        if (reading) {
            throw new IllegalStateException("an answer is awaited already");
        }
        reading = true;
        io(job, SavePath.Answered::new);
    }

    /** In place of {@link #ended}, for an answer. */
    void answered() {
        reading = false;
        ended();
    }

    void startStep(String step) {
        timers.startSingleTimer("step", new SavePath.StepTimedOut(step), settings.stepTimeout());
    }

    void publish(RunState vm, MigrationStatus status) {
        trail.publish(vm, status, devices);
    }

    void closeStream() {
        if (writer != null) {
            closeQuietly(writer);
        }
    }

    static void closeQuietly(StreamWriter stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // closed by the other side, or already: either way nothing more goes through it
            return;
        }
    }

    /** Why an answer is not the one that was waited for. */
    String why(@Nullable Answer answer, String error) {
        return switch (answer) {
            case null -> "the stream to " + to + " broke: " + error;
            case Answer.Refused(var reason) -> "the destination refused: " + reason;
            case Answer.Accepted _, Answer.SwitchoverReady _, Answer.Loaded _, Answer.Running _ ->
                "the destination answered out of turn: " + answer;
        };
    }
}
