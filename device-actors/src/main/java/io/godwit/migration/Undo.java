package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.device.DeviceState;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.RunState;
import io.godwit.vm.RunStateChange;
import io.godwit.vm.VmParts;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Undoes a save path at the source: holds no vCPU back any more, tells the devices how the migration ended (a device in
 * ERROR is reset), runs devices and vCPUs again, and last, off the standstill, stops dirty tracking and lets the devices
 * free what save_setup took. Every step is tried even when one fails.
 *
 * <pre>notifying → running → untracking → cleaning → Result</pre>
 */
final class Undo {
    /**
     * What came of it.
     *
     * @param runs whether the vCPUs' start was reached and done
     * @param devices in slot order; empty unless it runs
     * @param error what went wrong on the way; empty when the VM runs as if nothing had been
     */
    record Result(boolean runs, List<DeviceState> devices, String error) {}

    private sealed interface Command {}

    private record Notified(DeviceRound.Result result) implements Command {}

    private record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    private record Untracked(TrackingChange.Result result) implements Command {}

    private record Cleaned(DeviceRound.Result result) implements Command {}

    private final ActorContext<Command> context;
    private final VmParts parts;
    private final long epoch;
    private final ActorRef<Result> replyTo;

    private Undo(ActorContext<Command> context, VmParts parts, long epoch, ActorRef<Result> replyTo) {
        this.context = context;
        this.parts = parts;
        this.epoch = epoch;
        this.replyTo = replyTo;
    }

    static Behavior<Void> create(VmParts parts, long epoch, MigrationStatus status, ActorRef<Result> replyTo) {
        parts.guest().throttle(0);
        return Behaviors.<Command>setup(context -> new Undo(context, parts, epoch, replyTo).notifying(status))
                .unsafeCast();
    }

    private Behavior<Command> notifying(MigrationStatus status) {
        DeviceRound.begin(
                context,
                parts.devices(),
                replies -> new Device.MigrationStatusChanged(status, replies),
                context.messageAdapter(DeviceRound.Result.class, Notified::new));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Notified(var result) -> running(result.error().orElse(""));
            case RunStateReplied _, Untracked _, Cleaned _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> running(String errorBefore) {
        context.spawnAnonymous(RunStateChange.create(
                parts,
                epoch,
                RunState.RUNNING,
                context.messageAdapter(RunStateChange.Outcome.class, RunStateReplied::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed(var _, var devices)) ->
                untracking(true, devices, errorBefore);
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) ->
                untracking(false, List.of(), joined(errorBefore, reason));
            case Notified _, Untracked _, Cleaned _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> untracking(boolean runs, List<DeviceState> devices, String errorBefore) {
        context.spawnAnonymous(TrackingChange.create(
                parts, false, context.messageAdapter(TrackingChange.Result.class, Untracked::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Untracked(var result) -> cleaning(runs, devices, joined(errorBefore, result.error()));
            case Notified _, RunStateReplied _, Cleaned _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> cleaning(boolean runs, List<DeviceState> devices, String errorBefore) {
        DeviceRound.begin(
                context,
                parts.devices(),
                Device.Cleanup::new,
                context.messageAdapter(DeviceRound.Result.class, Cleaned::new));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Cleaned(var result) -> {
                replyTo.tell(new Result(
                        runs, devices, joined(errorBefore, result.error().orElse(""))));
                yield Behaviors.stopped();
            }
            case Notified _, RunStateReplied _, Untracked _ -> Behaviors.unhandled();
        });
    }

    private static String joined(String before, String error) {
        return before.isEmpty() || error.isEmpty() ? before + error : before + "; " + error;
    }
}
