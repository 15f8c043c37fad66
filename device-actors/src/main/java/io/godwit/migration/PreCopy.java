package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.migration.SavePath.Adjust;
import io.godwit.migration.SavePath.Answered;
import io.godwit.migration.SavePath.Cancel;
import io.godwit.migration.SavePath.Command;
import io.godwit.migration.SavePath.CopyEnded;
import io.godwit.migration.SavePath.HooksDone;
import io.godwit.migration.SavePath.Opened;
import io.godwit.migration.SavePath.PassEnded;
import io.godwit.migration.SavePath.Release;
import io.godwit.migration.SavePath.RollBack;
import io.godwit.migration.SavePath.RunStateReplied;
import io.godwit.migration.SavePath.StepTimedOut;
import io.godwit.migration.SavePath.SwitchOver;
import io.godwit.migration.SavePath.Synced;
import io.godwit.migration.SavePath.Tick;
import io.godwit.migration.SavePath.TrackingStarted;
import io.godwit.migration.SavePath.Undone;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM runs while its memory and its devices' state are sent. Every tick, and whenever all that was known to be dirty is
 * sent, one {@link DirtySync}; what follows from it {@link Convergence} decides.
 *
 * <pre>active → quiescing → StandStill; SaveUndo from either</pre>
 */
final class PreCopy {
    /** Pinned pages looked at, to tell how many of them are zero. */
    private static final int ZERO_SAMPLES = 64;

    /** Pinned pages sent in vain when there is nothing else to measure the link with: 16 MiB. */
    private static final long PAGES_LENT = 4096;

    private static final String ABORTED = "the ledger aborted the handoff before the stop";

    private final SaveCore core;
    private final StreamWriter stream;
    private final RamSender sender;
    private final DowntimeModel model;
    private final Convergence convergence;
    private final StallWatch streamWatch;
    private final StallWatch initialWatch;
    private SortedMap<String, Long> initialBytes = new TreeMap<>();
    private long bytesLeft;
    private boolean passRuns;
    private boolean syncRuns;
    private boolean devicesRun;
    private boolean acknowledged;
    private long rounds;
    private boolean anySent;
    private boolean lent;
    private boolean probing;
    private long bandwidthLimit = -1;
    private long syncBeganNanos;
    private long syncNanos;

    private PreCopy(SaveCore core, StreamWriter stream) {
        this.core = core;
        this.stream = stream;
        GuestMemory memory = core.parts.guest().memory();
        this.sender = stream.sender(memory);
        this.model = new DowntimeModel(core.costs, core.options.verify() ? memory.bytes() : 0);
        this.convergence = new Convergence(
                core.options.precopyDeadlineMs() > 0
                        ? Duration.ofMillis(core.options.precopyDeadlineMs())
                        : core.settings.precopyTimeout(),
                core.settings.roundGain().toNanos() / 1000);
        this.probing = core.costs.precopyBandwidth() == 0
                && core.settings.bandwidthProbe().isPositive();
        this.streamWatch = new StallWatch(core.settings.stallTimeout());
        this.initialWatch = new StallWatch(core.settings.stallTimeout());
    }

    /** Tracking is on, the devices are set up, and all pages are pending. */
    static Behavior<Command> begin(SaveCore core, StreamWriter stream) {
        return new PreCopy(core, stream).active();
    }

    private Behavior<Command> active() {
        core.timers.cancelAll();
        core.counters.precopyBeganNanos = core.clock.nanoTime();
        core.publish(RunState.RUNNING, MigrationStatus.ACTIVE);
        core.observer.tell(new SavePath.Event.Started());
        core.timers.startTimerAtFixedRate(
                new Tick(), probing ? core.settings.bandwidthProbe() : core.settings.tick(), core.settings.tick());
        applyLimits();
        acknowledged = new InitialData(core.preamble.devices()).complete();
        if (!acknowledged) {
            core.readAnswer(stream);
        }
        sync();
        return Behaviors.receiveMessage(command -> switch (command) {
            case Tick() -> {
                String stall = stall();
                if (!stall.isEmpty()) {
                    yield SaveUndo.draining(core, stall, false);
                }
                probed();
                sync();
                yield Behaviors.same();
            }
            case Synced(var result) -> {
                core.ended();
                syncRuns = false;
                yield result.error().isPresent()
                        ? SaveUndo.draining(
                                core, "dirty sync: " + result.error().get(), false)
                        : decide(result);
            }
            case PassEnded(var error) -> {
                passEnded();
                if (!error.isEmpty()) {
                    yield SaveUndo.draining(core, "the stream to " + core.to + " broke: " + error, false);
                }
                // all that was known to be dirty is sent: look again at once, not at the next tick
                sync();
                yield Behaviors.same();
            }
            case HooksDone(var result) -> {
                iterated(result);
                yield result.error().isPresent()
                        ? SaveUndo.draining(
                                core, "save_live_iterate: " + result.error().get(), false)
                        : Behaviors.same();
            }
            case Adjust(var limits) -> {
                if (core.limits.take(limits)) {
                    applyLimits();
                    // the new limits are judged, and shown, by fresh numbers
                    sync();
                }
                yield Behaviors.same();
            }
            case Answered(Answer.SwitchoverReady(), var _) -> {
                core.answered();
                acknowledged = true;
                sync();
                yield Behaviors.same();
            }
            case Answered(var answer, var error) -> {
                core.answered();
                yield SaveUndo.draining(core, core.why(answer, error), false);
            }
            case SwitchOver() ->
                acknowledged
                        ? quiescing()
                        : SaveUndo.draining(
                                core, "told to switch over before the destination had loaded the initial data", false);
            case Cancel(var reason) -> SaveUndo.draining(core, reason, true);
            case RollBack(var _, var cancelled) -> SaveUndo.draining(core, ABORTED, cancelled);
            case Release _, StepTimedOut _ -> Behaviors.unhandled();
            case Opened _, TrackingStarted _, RunStateReplied _, Undone _, CopyEnded _ -> Behaviors.unhandled();
        });
    }

    /**
     * The handoff is open: let what is under way end while the VM still runs, so that none of it is standstill. A peer that
     * takes nothing any more must not hold this up: after a while, or once the ledger has aborted, it ends as a failure
     * before the stop.
     */
    private Behavior<Command> quiescing() {
        core.timers.cancelAll();
        core.stopSending();
        // what waits for its turn would hold up the stop, while the VM writes on
        stream.rateLimit(0);
        if (core.quiet()) {
            return StandStill.begin(core, stream, sender);
        }
        core.startStep("the end of the pass under way");
        return Behaviors.receiveMessage(command -> switch (command) {
            case PassEnded(var error) -> {
                passEnded();
                yield quieter(error);
            }
            case Synced(var result) -> {
                core.ended();
                yield quieter(result.error().orElse(""));
            }
            case HooksDone(var result) -> {
                iterated(result);
                yield quieter(result.error().orElse(""));
            }
            case StepTimedOut(var step) -> quieter(step + " took too long");
            case RollBack(var _, var cancelled) -> SaveUndo.draining(core, ABORTED, cancelled);
            case SwitchOver _, Adjust _, Cancel _, Release _, Tick _ -> Behaviors.same();
            case Opened _, Answered _, TrackingStarted _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    private Behavior<Command> quieter(String error) {
        if (!error.isEmpty()) {
            return SaveUndo.draining(core, "before the stop: " + error, false);
        }
        return core.quiet() ? StandStill.begin(core, stream, sender) : Behaviors.same();
    }

    /** What should have moved since long, and has not; empty when all is well. */
    private String stall() {
        long now = core.clock.nanoTime();
        boolean sending = (passRuns || devicesRun) && !stream.heldByRateLimit();
        long still = streamWatch.look(now, sending, stream.bytesWritten());
        if (still > 0) {
            return "stalled: no byte has left for " + Figures.seconds(still) + ", " + Figures.bytes(bytesLeft)
                    + " left, to " + core.to;
        }
        // what a device has sent is behind it: its own count shows whether it gives anything
        long initial = initialBytes.values().stream().mapToLong(Long::longValue).sum();
        long silent = initialWatch.look(now, initial > 0 && !stream.heldByRateLimit(), initial);
        return silent == 0
                ? ""
                : "stalled: no initial data has come from " + String.join(", ", initialBytes.keySet()) + " for "
                        + Figures.seconds(silent) + ", " + Figures.bytes(initial) + " pending";
    }

    private void applyLimits() {
        long limit = probing ? 0 : core.limits.bandwidthBytesPerSecond();
        if (limit != bandwidthLimit) {
            bandwidthLimit = limit;
            stream.rateLimit(limit);
        }
        core.parts.guest().throttle(core.limits.throttlePercent());
    }

    /** The link has been measured for long enough without a limit, or there is nothing more to measure it with. */
    private void probed() {
        if (probing) {
            probing = false;
            if (passRuns) {
                core.counters.sample(stream, core.clock.nanoTime());
            }
            applyLimits();
        }
    }

    private void sync() {
        if (!syncRuns) {
            syncRuns = true;
            syncBeganNanos = core.clock.nanoTime();
            core.began();
            core.context.spawnAnonymous(DirtySync.create(
                    core.parts,
                    core.pages.pending(),
                    core.pages.syncing(),
                    false,
                    core.context.messageAdapter(DirtySync.Result.class, Synced::new)));
        }
    }

    /** After a sync: what is left, what the standstill would be, and whether to go on, ask for the switchover, or end. */
    private Behavior<Command> decide(DirtySync.Result sync) {
        long now = core.clock.nanoTime();
        SaveCounters counters = core.counters;
        syncNanos = now - syncBeganNanos;
        core.pages.synced();
        counters.synced(sync, now);
        if (passRuns) {
            counters.sample(stream, now);
        }
        // all that an earlier sync found has gone: a round has ended
        if (!passRuns && (anySent || core.pages.pending().nextSet(0) < 0)) {
            rounds++;
        }
        Measured measured = measured(sync, now);
        Prediction predicted = model.predict(measured);
        Prediction floor = model.floor(measured);
        initialBytes = sync.initialBytes();
        bytesLeft = measured.ramLeftBytes() + measured.pinnedBytes() + measured.stopCopyBytes();
        core.observer.tell(new SavePath.Event.Progressed(counters.progress(
                core.trail.last(), sync, stream, now, measured, predicted, floor, core.limits.inForce())));
        if (rounds > 0 && !lent && !counters.meter.known() && measured.pinnedToSend() > 0) {
            // nothing but pinned pages to measure the link with: some go once in vain
            lent = true;
            core.pages.lend(PAGES_LENT);
            send();
        } else if (measured.ramLeftBytes() > 0) {
            send();
        }
        // until all initial data has gone, and its end, however little it is
        if (!devicesRun && (!acknowledged || sync.precopyBytes() >= core.settings.deviceThresholdBytes())) {
            devicesRun = true;
            core.hooks(replies -> new Device.SaveLiveIterate(stream, core.settings.deviceIterateBytesMax(), replies));
        }
        return switch (convergence.decide(measured, predicted, floor, core.limits)) {
            case Convergence.Decision.GoOn() -> Behaviors.same();
            case Convergence.Decision.SwitchOver() -> {
                counters.predicted = predicted;
                counters.decidedNanos = now;
                core.context.getLog().debug("{}: asks for the switchover: {}", core.preamble.migration(), predicted);
                core.observer.tell(new SavePath.Event.Ready(counters.stats(stream, now)));
                yield Behaviors.same();
            }
            case Convergence.Decision.GiveUp(var reason) -> SaveUndo.draining(core, reason, false);
        };
    }

    private Measured measured(DirtySync.Result sync, long now) {
        long ramLeft = core.pages.pending().count() * GuestMemory.PAGE_SIZE;
        SaveCounters counters = core.counters;
        long pinned = sync.pinnedPages() * GuestMemory.PAGE_SIZE;
        return new Measured(
                ramLeft,
                pinned,
                pinned > 0 ? sender.zeroShare(core.pages.heldBack(), ZERO_SAMPLES) : 0,
                sync.precopyBytes(),
                sync.stopCopyBytes(),
                counters.meter.bytesPerSecond(),
                // once all has been sent there is nothing better to come
                counters.meter.settled() || (rounds > 0 && counters.meter.known()),
                core.limits.bandwidthBytesPerSecond(),
                counters.cpu,
                counters.dma,
                syncNanos,
                rounds,
                now - counters.precopyBeganNanos,
                acknowledged);
    }

    private void send() {
        if (!passRuns) {
            passRuns = true;
            core.counters.sendingFrom(stream, core.clock.nanoTime());
            core.io(() -> sender.send(core.pages.pending(), core::sendingStopped), (_, error) -> new PassEnded(error));
        }
    }

    private void passEnded() {
        core.ended();
        passRuns = false;
        anySent = true;
        core.counters.sample(stream, core.clock.nanoTime());
        probed();
    }

    private void iterated(DeviceRound.Result result) {
        core.ended();
        devicesRun = false;
        for (Device.Reply reply : result.replies().values()) {
            if (reply instanceof Device.Iterated iterated) {
                core.counters.deviceBytes += iterated.bytes();
            }
        }
    }
}
