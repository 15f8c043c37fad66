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
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.RunStateChange;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM has surrendered: it stands still, the rest is sent, and from here on only the ledger says for whom.
 *
 * <pre>
 * stopping → copying → awaiting → releasing → completing → cleaning → describing → (Released)
 *      failure → stranded;  awaiting, stranded: Release → releasing, RollBack → SaveUndo
 * </pre>
 */
final class StandStill {
    private final SaveCore core;
    /** Whether it may let go: a destination that has everything may be heard of before the end of the last copy is. */
    private boolean released;

    private StandStill(SaveCore core) {
        this.core = core;
    }

    /** Nothing is in flight; stops the VM. {@code sender} is the one of pre-copy: another one's buffers would cost time now. */
    static Behavior<Command> begin(SaveCore core, StreamWriter stream, RamSender sender) {
        core.surrendered = true;
        return new StandStill(core).stopping(stream, sender);
    }

    /** Stands still and waits for the ledger's word, again: the reason has been told. */
    static Behavior<Command> goOnWaiting(SaveCore core) {
        return new StandStill(core).stranded();
    }

    /** Cannot go on, for a reason that is told now; stands still and waits for the ledger's word. */
    static Behavior<Command> strandedBy(SaveCore core, String reason) {
        return new StandStill(core).strand(reason);
    }

    private Behavior<Command> stopping(StreamWriter stream, RamSender sender) {
        core.timers.cancelAll();
        core.counters.precopyEndedNanos = core.clock.nanoTime();
        core.counters.stopAskedNanos = core.counters.precopyEndedNanos;
        // the sync after the stop reports all that was held back again, or finds it pending
        core.pages.release();
        stream.rateLimit(0);
        core.changeRunState(RunState.FINISH_MIGRATE);
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed(var _, var states)) -> {
                core.ended();
                core.devices = states;
                core.publish(RunState.FINISH_MIGRATE, MigrationStatus.DEVICE);
                yield copying(stream, sender);
            }
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                core.ended();
                yield strand("stopping: " + reason);
            }
            case Release() -> {
                released = true;
                yield Behaviors.same();
            }
            case SwitchOver _, Adjust _, Cancel _, RollBack _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _, Answered _, TrackingStarted _, HooksDone _, PassEnded _, Synced _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    private Behavior<Command> copying(StreamWriter stream, RamSender sender) {
        core.counters.stoppedNanos = core.clock.nanoTime();
        core.began();
        core.context.spawnAnonymous(StopAndCopy.create(
                core.parts,
                stream,
                sender,
                core.pages.pending(),
                core.options.verify(),
                core.clock,
                core.context.messageAdapter(StopAndCopy.Outcome.class, CopyEnded::new)));
        core.startStep("the last copy");
        return Behaviors.receiveMessage(command -> switch (command) {
            case CopyEnded(StopAndCopy.Outcome.Copied copied) -> {
                core.ended();
                core.counters.copied = copied;
                core.counters.deviceBytes += copied.deviceBytes();
                core.counters.dirtiedPages += copied.dirtyPages();
                yield awaiting(stream);
            }
            case CopyEnded(StopAndCopy.Outcome.NotCopied(var reason)) -> {
                core.ended();
                yield strand(reason);
            }
            case StepTimedOut(var step) -> {
                // a peer that takes nothing any more: closing makes the copy fail, which is then reported
                core.closeStream();
                core.context.getLog().warn("{}: {} took too long", core.preamble.migration(), step);
                yield Behaviors.same();
            }
            case RollBack _ -> {
                // the ledger has aborted meanwhile: end the copy; the Vm says it again once that is reported
                core.closeStream();
                yield Behaviors.same();
            }
            case Release() -> {
                released = true;
                yield Behaviors.same();
            }
            case SwitchOver _, Adjust _, Cancel _, Tick _ -> Behaviors.same();
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

    /**
     * All is sent. The devices come to rest off the critical path, all they took for the migration still theirs: it is not
     * decided yet. The destination's two answers are only timed here.
     */
    private Behavior<Command> awaiting(StreamWriter stream) {
        core.timers.cancelAll();
        core.hooks(replies -> new Device.VmStateChanged(RunState.POSTMIGRATE, false, replies));
        core.readAnswer(stream);
        if (released) {
            return releasing();
        }
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                atRest(result);
                yield Behaviors.same();
            }
            case Answered(Answer.Loaded loaded, var _) -> {
                core.answered();
                loaded(loaded);
                core.readAnswer(stream);
                yield Behaviors.same();
            }
            case Answered(Answer.Running(var micros), var _) -> {
                core.answered();
                runs(micros);
                yield Behaviors.same();
            }
            case Answered(var answer, var error) -> {
                core.answered();
                yield strand(core.why(answer, error));
            }
            case Release() -> releasing();
            case RollBack(var epoch, var cancelled) -> SaveUndo.rollingBack(core, epoch, cancelled);
            case SwitchOver _, Adjust _, Cancel _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _, TrackingStarted _, PassEnded _, Synced _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    /**
     * The destination runs. Its last answer, which ends the measured standstill, may still be on its way, and the devices
     * may still be coming to rest.
     */
    private Behavior<Command> releasing() {
        if (core.quiet()) {
            return completing();
        }
        core.startStep("the destination's last answer");
        StreamWriter stream = core.stream();
        return Behaviors.receiveMessage(command -> switch (command) {
            case Answered(var answer, var _) -> {
                core.answered();
                if (answer instanceof Answer.Running(var micros)) {
                    runs(micros);
                } else if (answer instanceof Answer.Loaded loaded && stream != null) {
                    loaded(loaded);
                    core.readAnswer(stream);
                }
                yield core.quiet() ? completing() : Behaviors.same();
            }
            case HooksDone(var result) -> {
                atRest(result);
                yield core.quiet() ? completing() : Behaviors.same();
            }
            case StepTimedOut _ -> {
                core.closeStream();
                yield Behaviors.same();
            }
            case PassEnded _, CopyEnded _, Undone _, Synced _, RunStateReplied _, TrackingStarted _ -> {
                core.ended();
                yield core.quiet() ? completing() : Behaviors.same();
            }
            case SwitchOver _, Adjust _, Cancel _, Tick _, RollBack _, Release _ -> Behaviors.same();
            case Opened _ -> Behaviors.unhandled();
        });
    }

    /** The destination runs and nothing is in flight: the devices hear of it. */
    private Behavior<Command> completing() {
        core.timers.cancelAll();
        core.closeStream();
        core.publish(RunState.FINISH_MIGRATE, MigrationStatus.COMPLETED);
        core.hooks(replies -> new Device.MigrationStatusChanged(MigrationStatus.COMPLETED, replies));
        return hooksThen(this::cleaning);
    }

    /** They let go of what save_setup took. */
    private Behavior<Command> cleaning() {
        core.hooks(Device.Cleanup::new);
        return hooksThen(this::describing);
    }

    /** What they saw goes with the VM's migration, not with the devices. */
    private Behavior<Command> describing() {
        core.hooks(Device.Describe::new);
        core.startStep("describing the devices");
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> released(result.logs());
            case StepTimedOut _ -> released(List.of());
            case SwitchOver _, Adjust _, Cancel _, Tick _, RollBack _, Release _ -> Behaviors.same();
            case Opened _,
                    Answered _,
                    TrackingStarted _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _,
                    CopyEnded _ -> Behaviors.unhandled();
        });
    }

    /** A device that fails now keeps nobody from anything: it is destroyed next. */
    private Behavior<Command> hooksThen(Supplier<Behavior<Command>> next) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case HooksDone(var result) -> {
                core.ended();
                result.error()
                        .ifPresent(error -> core.context
                                .getLog()
                                .warn("{}: after the migration: {}", core.preamble.migration(), error));
                yield next.get();
            }
            case SwitchOver _, Adjust _, Cancel _, Tick _, RollBack _, Release _, StepTimedOut _ -> Behaviors.same();
            case Opened _,
                    Answered _,
                    TrackingStarted _,
                    PassEnded _,
                    Synced _,
                    RunStateReplied _,
                    Undone _,
                    CopyEnded _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> released(List<DeviceLog> devices) {
        Downtime downtime = core.counters.downtime();
        core.counters.switchover().ifPresent(measured -> {
            core.learnt.learn(core.to, core.options.verify(), measured);
            core.context
                    .getLog()
                    .debug(
                            "{}: stood still for {}: {}; {}; {} had been predicted",
                            core.preamble.migration(),
                            Figures.millis(downtime.totalMicros()),
                            downtime,
                            measured,
                            core.counters.predicted);
        });
        core.observer.tell(new SavePath.Event.Released(
                core.counters.stats(core.stream(), core.clock.nanoTime()), downtime, core.trail.all(), devices));
        return Behaviors.stopped();
    }

    private Behavior<Command> strand(String reason) {
        core.timers.cancelAll();
        core.closeStream();
        core.observer.tell(new SavePath.Event.Failed(reason, false, true, core.trail.all()));
        return released ? releasing() : stranded();
    }

    /** Stands still, and only the ledger knows for whom. */
    private Behavior<Command> stranded() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case RollBack(var epoch, var cancelled) -> SaveUndo.rollingBack(core, epoch, cancelled);
            case Release() -> releasing();
            case Answered _ -> {
                core.answered();
                yield Behaviors.same();
            }
            case HooksDone(var result) -> {
                atRest(result);
                yield Behaviors.same();
            }
            case PassEnded _, Undone _, CopyEnded _, Synced _, RunStateReplied _, TrackingStarted _ -> {
                core.ended();
                yield Behaviors.same();
            }
            case SwitchOver _, Adjust _, Cancel _, Tick _, StepTimedOut _ -> Behaviors.same();
            case Opened _ -> Behaviors.unhandled();
        });
    }

    private void loaded(Answer.Loaded loaded) {
        core.counters.loadedNanos = core.clock.nanoTime();
        core.counters.digestMicros = loaded.digestMicros();
    }

    private void runs(long resumeMicros) {
        core.counters.runningNanos = core.clock.nanoTime();
        core.counters.resumeMicros = resumeMicros;
    }

    private void atRest(DeviceRound.Result result) {
        core.ended();
        core.devices = result.states();
        core.publish(RunState.FINISH_MIGRATE, MigrationStatus.DEVICE);
    }
}
