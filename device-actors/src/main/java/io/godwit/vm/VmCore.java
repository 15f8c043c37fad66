package io.godwit.vm;

import io.godwit.migration.DataPlane;
import io.godwit.migration.ResumePath;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/** What all states of one VM share: its parts once built, its epoch, and the ways it answers. Confined to its actor. */
final class VmCore {
    final ActorContext<Vm.Command> context;
    final TimerScheduler<Vm.Command> timers;
    final StashBuffer<Vm.Command> stash;
    final VmHost host;
    final VmSpec spec;
    private long epoch;
    private @Nullable VmBuilder built;
    private @Nullable VmStatus status;

    VmCore(
            ActorContext<Vm.Command> context,
            TimerScheduler<Vm.Command> timers,
            StashBuffer<Vm.Command> stash,
            VmHost host,
            VmSpec spec,
            long epoch) {
        this.context = context;
        this.timers = timers;
        this.stash = stash;
        this.host = host;
        this.spec = spec;
        this.epoch = epoch;
    }

    /** The grant under which it runs, or ran last. */
    long epoch() {
        return epoch;
    }

    /** The ledger granted a newer epoch to this host, and the VM runs under it. Epochs only grow. */
    void granted(long newer) {
        if (newer < epoch) {
            throw new IllegalStateException(spec.name() + ": epoch " + newer + " after " + epoch);
        }
        epoch = newer;
    }

    void built(VmBuilder parts) {
        built = parts;
    }

    /** The guest and its devices, or null while they are not built. */
    @Nullable
    VmBuilder builtOrNull() {
        return built;
    }

    VmBuilder requireBuilt() {
        if (built == null) {
            throw new IllegalStateException(spec.name() + " is not built");
        }
        return built;
    }

    /** Tells the agent how the VM stands. A guest that has failed by itself stands in INTERNAL_ERROR, whatever was to be. */
    VmStatus stand(RunState state, Optional<String> migration) {
        Optional<String> failure =
                built == null ? Optional.empty() : built.guest().failure();
        return stand(state, migration, failure);
    }

    /** It does not run though it should. */
    void standFailed(String reason, Optional<String> migration) {
        stand(RunState.INTERNAL_ERROR, migration, Optional.of(reason));
    }

    private VmStatus stand(RunState state, Optional<String> migration, Optional<String> failure) {
        VmStatus standing = new VmStatus(
                spec,
                failure.isPresent() ? RunState.INTERNAL_ERROR : state,
                epoch,
                migration,
                state == RunState.RESTORE_VM || (state == RunState.PRELAUNCH && migration.isPresent()),
                failure);
        status = standing;
        host.observer().tell(new Vm.Event.Standing(standing));
        return standing;
    }

    /** Answers how the VM stands, and what its devices saw, from wherever it is. */
    Behavior<Vm.Command> describe(VmParts own, HostCommand.DescribeVm asked) {
        VmStatus now = status;
        if (now == null) {
            return refuse(asked, "VM " + spec.name() + " is just coming into being");
        }
        context.spawnAnonymous(VmDescription.create(
                now,
                own.devices(),
                host.settings().stepTimeout(),
                refusal("a device of VM " + spec.name() + " does not answer"),
                asked.replyTo()));
        return Behaviors.same();
    }

    void report(MigrationReport report) {
        host.reports().tell(report);
    }

    /** A migration has ended with the VM running here under {@code granted}. */
    Behavior<Vm.Command> runs(VmParts own, String migration, long granted, List<StateTriple> states) {
        granted(granted);
        MigrationReport.VmRunning running = new MigrationReport.VmRunning(migration, host.host(), epoch, states);
        report(running);
        return VmRunning.begin(this, own, running);
    }

    /** Answers a command that this state does not take. */
    Behavior<Vm.Command> refuse(HostCommand asked, String reason) {
        return switch (asked) {
            case HostCommand.CreateVm c -> {
                c.replyTo().tell(refusal(reason));
                yield Behaviors.same();
            }
            case HostCommand.DestroyVm c -> {
                c.replyTo().tell(refusal(reason));
                yield Behaviors.same();
            }
            case HostCommand.CheckVm c -> {
                c.replyTo().tell(refusal(reason));
                yield Behaviors.same();
            }
            case HostCommand.BeginSave c -> refuse(c.migration(), "BeginSave", reason);
            case HostCommand.SwitchOver c -> refuse(c.migration(), "SwitchOver", reason);
            case HostCommand.DescribeVm c -> {
                c.replyTo().tell(refusal(reason));
                yield Behaviors.same();
            }
            case HostCommand.AdjustSave c -> refuse(c.migration(), "AdjustSave", reason);
            case HostCommand.CancelSave c -> refuse(c.migration(), "CancelSave", reason);
            case HostCommand.RunVm c -> refuse(c.migration(), "RunVm", reason);
            case HostCommand.ReleaseSource c -> refuse(c.migration(), "ReleaseSource", reason);
            case HostCommand.PrepareIncoming c -> refuse(c.migration(), "PrepareIncoming", reason);
            case HostCommand.DiscardIncoming c -> refuse(c.migration(), "DiscardIncoming", reason);
        };
    }

    Behavior<Vm.Command> refuse(String migration, String command, String reason) {
        report(new MigrationReport.CommandRefused(migration, host.host(), command, reason, epoch));
        return Behaviors.same();
    }

    /** Turns a stream away that this state does not take. */
    Behavior<Vm.Command> refuse(Vm.StreamArrived arrived, String reason) {
        host.dataPlane().execute(() -> ResumePath.refuse(arrived.reader(), reason));
        return Behaviors.same();
    }

    HostReply refusal(String reason) {
        return new HostReply.HostRefused(host.host(), reason);
    }

    String stale(long theirs) {
        return "VM " + spec.name() + " is held under epoch " + epoch + ", not " + theirs;
    }

    /** Keeps a command for the next state; with too many kept already it is refused. */
    Behavior<Vm.Command> later(Vm.Asked asked) {
        if (stash.isFull()) {
            return refuse(asked.command(), "VM " + spec.name() + " is busy, and too many commands wait already");
        }
        stash.stash(asked);
        return Behaviors.same();
    }

    /** As {@link #later(Vm.Asked)}. */
    Behavior<Vm.Command> later(Vm.StreamArrived arrived) {
        if (stash.isFull()) {
            return refuse(arrived, "VM " + spec.name() + " is busy, and too many commands wait already");
        }
        stash.stash(arrived);
        return Behaviors.same();
    }

    void changeRunState(VmParts own, RunState target) {
        context.spawnAnonymous(RunStateChange.create(
                own, epoch, target, context.messageAdapter(RunStateChange.Outcome.class, Vm.RunStateReplied::new)));
    }

    Behavior<Vm.Command> askLedger() {
        host.ledger()
                .tell(new OwnershipCommand.QueryOwnership(
                        spec.name(), context.messageAdapter(OwnershipReply.class, Vm.LedgerSaid::new)));
        return Behaviors.same();
    }

    /**
     * Asks the ledger to commit {@code migration}, which is all here. Safe to ask at any time and twice: the ledger commits
     * an open handoff of this migration at this epoch and nothing else, and never after an abort.
     */
    void commit(String migration) {
        host.ledger()
                .tell(new OwnershipCommand.CommitHandoff(
                        spec.name(),
                        migration,
                        epoch,
                        context.messageAdapter(OwnershipReply.class, Vm.LedgerSaid::new)));
    }

    <T> void io(Callable<T> job, BiFunction<@Nullable T, String, Vm.Command> done) {
        context.pipeToSelf(
                DataPlane.call(job, host.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }
}
