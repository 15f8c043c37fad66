package io.godwit.migration;

import io.godwit.migration.SavePath.Adjust;
import io.godwit.migration.SavePath.Answered;
import io.godwit.migration.SavePath.Cancel;
import io.godwit.migration.SavePath.Command;
import io.godwit.migration.SavePath.CopyEnded;
import io.godwit.migration.SavePath.Event;
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
import io.godwit.stream.StreamWriter;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM is to run here after all: closes the stream, waits until nothing is in flight, then undoes what was set up
 * ({@link Undo}).
 *
 * <pre>
 * draining (the VM has not stopped)  → whenQuiet → undoing → (Failed)
 * rollingBack (under a higher epoch) → whenQuiet → undoing → (RolledBack), or NotRunning → StandStill
 * </pre>
 */
final class SaveUndo {
    private final SaveCore core;

    private SaveUndo(SaveCore core) {
        this.core = core;
    }

    /** Ends a migration before the stop. */
    static Behavior<Command> draining(SaveCore core, String reason, boolean cancelled) {
        return new SaveUndo(core).undoing(status(cancelled), core.preamble.epoch(), result -> {
            core.devices = result.devices();
            core.publish(RunState.RUNNING, status(cancelled));
            core.observer.tell(new Event.Failed(
                    result.error().isEmpty() ? reason : reason + "; and while undoing: " + result.error(),
                    cancelled,
                    false,
                    core.trail.all()));
            return Behaviors.stopped();
        });
    }

    /** Ends it after the stop, {@code epoch} being granted. A VM that does not start is kept, to be told again. */
    static Behavior<Command> rollingBack(SaveCore core, long epoch, boolean cancelled) {
        return new SaveUndo(core).undoing(status(cancelled), epoch, result -> {
            if (!result.runs()) {
                core.observer.tell(new Event.NotRunning(epoch, result.error()));
                return StandStill.goOnWaiting(core);
            }
            core.devices = result.devices();
            core.publish(RunState.RUNNING, status(cancelled));
            core.observer.tell(new Event.RolledBack(epoch, result.error(), core.trail.all()));
            return Behaviors.stopped();
        });
    }

    private static MigrationStatus status(boolean cancelled) {
        return cancelled ? MigrationStatus.CANCELLED : MigrationStatus.FAILED;
    }

    private Behavior<Command> undoing(
            MigrationStatus status, long epoch, Function<Undo.Result, Behavior<Command>> done) {
        core.timers.cancelAll();
        core.stopSending();
        core.closeStream();
        if (!core.quiet()) {
            return whenQuiet(() -> undoing(status, epoch, done));
        }
        core.began();
        core.context.spawnAnonymous(
                Undo.create(core.parts, epoch, status, core.context.messageAdapter(Undo.Result.class, Undone::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Undone(var result) -> {
                core.ended();
                yield done.apply(result);
            }
            case SwitchOver _, Adjust _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> Behaviors.same();
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
                core.ended();
                StreamWriter late = opened.stream();
                if (late != null) {
                    core.parts.dataPlane().execute(() -> SaveCore.closeQuietly(late));
                }
                yield core.quiet() ? next.get() : Behaviors.same();
            }
            case Answered _ -> {
                core.answered();
                yield core.quiet() ? next.get() : Behaviors.same();
            }
            case TrackingStarted _, HooksDone _, PassEnded _, Synced _, RunStateReplied _, Undone _, CopyEnded _ -> {
                core.ended();
                yield core.quiet() ? next.get() : Behaviors.same();
            }
            case SwitchOver _, Adjust _, Cancel _, RollBack _, Release _, Tick _, StepTimedOut _ -> Behaviors.same();
        });
    }
}
