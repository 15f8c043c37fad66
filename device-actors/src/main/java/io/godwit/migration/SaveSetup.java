package io.godwit.migration;

import io.godwit.device.Device;
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
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.Answer;
import io.godwit.stream.StreamWriter;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The way to pre-copy: a stream, a destination that takes the preamble, dirty tracking, devices set up.
 *
 * <pre>connecting → accepting → settingUp → PreCopy; SaveUndo from any of them</pre>
 */
final class SaveSetup {
    private final SaveCore core;

    private SaveSetup(SaveCore core) {
        this.core = core;
    }

    static Behavior<Command> begin(SaveCore core, SavePath.StreamOpener opener) {
        return new SaveSetup(core).connecting(opener, core.to);
    }

    private Behavior<Command> connecting(SavePath.StreamOpener opener, DataEndpoint to) {
        core.publish(RunState.RUNNING, MigrationStatus.NONE);
        core.startStep("connecting to " + to);
        long bandwidth = core.limits.bandwidthBytesPerSecond();
        core.io(() -> opener.open(to, bandwidth), (stream, error) -> new Opened(stream, error));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Opened opened -> {
                core.ended();
                StreamWriter stream = opened.stream();
                if (stream == null) {
                    yield SaveUndo.draining(core, opened.error(), false);
                }
                core.opened(stream);
                yield accepting(stream);
            }
            case StepTimedOut(var step) -> SaveUndo.draining(core, step + " took too long", false);
            case Cancel(var reason) -> SaveUndo.draining(core, reason, true);
            case Adjust(var limits) -> adjusted(limits);
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
        core.startStep("the destination's answer");
        core.sendPreamble(stream);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Answered(var answer, var error) -> {
                core.answered();
                yield answer instanceof Answer.Accepted
                        ? settingUp(stream)
                        : SaveUndo.draining(core, core.why(answer, error), false);
            }
            case StepTimedOut(var step) -> SaveUndo.draining(core, step + " did not come in time", false);
            case Cancel(var reason) -> SaveUndo.draining(core, reason, true);
            case Adjust(var limits) -> adjusted(limits);
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
        core.startStep("save_setup");
        core.began();
        core.context.spawnAnonymous(TrackingChange.create(
                core.parts,
                true,
                core.context.messageAdapter(TrackingChange.Result.class, r -> new TrackingStarted(r.error()))));
        return Behaviors.receiveMessage(command -> switch (command) {
            case TrackingStarted(var error) -> {
                core.ended();
                if (!error.isEmpty()) {
                    yield SaveUndo.draining(core, error, false);
                }
                core.hooks(Device.SaveSetup::new);
                yield Behaviors.same();
            }
            case HooksDone(var result) -> {
                core.ended();
                if (result.error().isPresent()) {
                    yield SaveUndo.draining(
                            core, "save_setup: " + result.error().get(), false);
                }
                core.devices = result.states();
                core.publish(RunState.RUNNING, MigrationStatus.SETUP);
                core.pages.allPending();
                yield PreCopy.begin(core, stream);
            }
            case StepTimedOut(var step) -> SaveUndo.draining(core, step + " took too long", false);
            case Cancel(var reason) -> SaveUndo.draining(core, reason, true);
            case Adjust(var limits) -> adjusted(limits);
            case SwitchOver _, RollBack _, Release _, Tick _ -> Behaviors.unhandled();
            case Opened _, Answered _, PassEnded _, Synced _, RunStateReplied _, Undone _, CopyEnded _ ->
                Behaviors.unhandled();
        });
    }

    /** Takes effect when pre-copy begins. */
    private Behavior<Command> adjusted(SaveLimits limits) {
        core.limits.take(limits);
        return Behaviors.same();
    }
}
