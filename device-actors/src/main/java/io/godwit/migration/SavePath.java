package io.godwit.migration;

import io.godwit.device.DeviceRound;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.stream.Answer;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.RunStateChange;
import io.godwit.vm.VmParts;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One VM leaving this host, in the order of vfio-migration section 5. A child of its Vm actor, which passes on what the
 * coordinator decides. This is its protocol; the states are in the classes named on the left.
 *
 * <pre>
 * SaveSetup   connecting → accepting → settingUp →
 * PreCopy     active → quiescing →                failure, Cancel, RollBack → SaveUndo
 * StandStill  stopping → copying → awaiting →     failure → stranded: Failed(surrendered), the VM stands still
 *             releasing → describing → (Released) awaiting, stranded: Release → releasing; RollBack → SaveUndo
 * SaveUndo    whenQuiet → undoing → (Failed)      out of SaveSetup and PreCopy: the VM runs here as if nothing had been
 *                                   (RolledBack)  out of StandStill: the VM runs here under the new epoch
 *                                   stranded      out of StandStill: it did not start: NotRunning, to be told again
 * </pre>
 *
 * <p>Its Vm repeats RollBack until it took effect: while the copy or the stop is under way it only ends that. The actor
 * decides; page and device bytes go through {@link StreamWriter} on the data plane. One bitmap of pending pages is shared
 * with the sender: syncs add to it while the sender takes from it ({@link SavePages}).
 */
public final class SavePath {
    /** What its Vm tells it. */
    public sealed interface Command {}

    /** The handoff is durable: stop and send the rest. To be said after Started only. */
    public record SwitchOver() implements Command {}

    /**
     * New limits, at once; without effect when they are older than those in force, or once the VM was told to switch over.
     * They have no {@link Limits#problem}.
     */
    public record Adjust(SaveLimits limits) implements Command {}

    /** Give up, the VM goes on here. Without effect once it was told to switch over: the ledger decides from then on. */
    public record Cancel(String reason) implements Command {}

    /** The ledger aborted the handoff and granted {@code epoch} to this host: run again. */
    public record RollBack(long epoch, boolean cancelled) implements Command {}

    /** The ledger committed and the destination runs: let go. */
    public record Release() implements Command {}

    record Tick() implements Command {}

    record StepTimedOut(String step) implements Command {}

    record Opened(@Nullable StreamWriter stream, String error) implements Command {}

    record Answered(@Nullable Answer answer, String error) implements Command {}

    record TrackingStarted(String error) implements Command {}

    record HooksDone(DeviceRound.Result result) implements Command {}

    record PassEnded(String error) implements Command {}

    record Synced(DirtySync.Result result) implements Command {}

    record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    record Undone(Undo.Result result) implements Command {}

    record CopyEnded(StopAndCopy.Outcome outcome) implements Command {}

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

        /** After RollBack: the VM runs here again. {@code error}: what went wrong on the way, or empty. */
        record RolledBack(long epoch, String error, List<StateTriple> states) implements Event {}

        /** After RollBack: it could not be started; it stands still and may be told to roll back again. */
        record NotRunning(long epoch, String reason) implements Event {}

        /** After Release: nothing here touches the guest any more. {@code devices}: what they saw, in slot order. */
        record Released(SaveStats stats, Downtime downtime, List<StateTriple> states, List<DeviceLog> devices)
                implements Event {}
    }

    /** How a stream to the destination is opened; blocks. */
    @FunctionalInterface
    public interface StreamOpener {
        /** Connects, or throws an IOException that names the endpoint and why. */
        StreamWriter open(DataEndpoint to, long bandwidthBytesPerSecond) throws Exception;
    }

    private SavePath() {}

    /** Begins at once: connects to {@code to}. {@code limits} have no {@link Limits#problem}. */
    public static Behavior<Command> create(
            VmParts parts,
            Preamble preamble,
            DataEndpoint to,
            MigrationOptions options,
            SaveLimits limits,
            MigrationSettings settings,
            StreamOpener opener,
            MonotonicClock clock,
            LearntDowntime learnt,
            ActorRef<Event> observer) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            SaveCore core = new SaveCore(
                    context, timers, parts, preamble, options, limits, settings, clock, to, learnt, observer);
            return Behaviors.intercept(
                    () -> new Mishaps<>(
                            Command.class,
                            reason -> core.surrendered
                                    ? StandStill.strandedBy(core, reason)
                                    : SaveUndo.draining(core, reason, false)),
                    SaveSetup.begin(core, opener));
        }));
    }
}
