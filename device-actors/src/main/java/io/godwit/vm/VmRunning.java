package io.godwit.vm;

import io.godwit.device.P2pRule;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.RunState;
import io.godwit.vm.Vm.AskLedger;
import io.godwit.vm.Vm.Asked;
import io.godwit.vm.Vm.Built;
import io.godwit.vm.Vm.Checked;
import io.godwit.vm.Vm.Closed;
import io.godwit.vm.Vm.Command;
import io.godwit.vm.Vm.LedgerSaid;
import io.godwit.vm.Vm.LookAtGuest;
import io.godwit.vm.Vm.Resumed;
import io.godwit.vm.Vm.RunStateReplied;
import io.godwit.vm.Vm.Saved;
import io.godwit.vm.Vm.StreamArrived;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM runs under its grant, and nothing else is going on.
 *
 * <pre>running → Departure | VmChecking;  running → stopThenClose → VmClosing</pre>
 */
final class VmRunning {
    private final VmCore core;
    private final VmParts own;
    private final Optional<MigrationReport.VmRunning> told;

    private VmRunning(VmCore core, VmParts own, Optional<MigrationReport.VmRunning> told) {
        this.core = core;
        this.own = own;
        this.told = told;
    }

    /** It runs already. */
    static Behavior<Command> begin(VmCore core, VmParts own) {
        return new VmRunning(core, own, Optional.empty()).running();
    }

    /** It runs since the end of a migration; {@code told} is repeated to whoever does not know yet. */
    static Behavior<Command> begin(VmCore core, VmParts own, MigrationReport.VmRunning told) {
        return new VmRunning(core, own, Optional.of(told)).running();
    }

    private Behavior<Command> running() {
        core.timers.cancelAll();
        core.timers.startTimerWithFixedDelay(
                new LookAtGuest(), core.host.settings().ledgerPoll());
        core.stand(RunState.RUNNING, Optional.empty());
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case StreamArrived arrived -> core.refuse(arrived, here());
            case LookAtGuest() -> {
                if (own.guest().failure().isPresent()) {
                    core.stand(RunState.INTERNAL_ERROR, Optional.empty());
                }
                yield Behaviors.same();
            }
            // late words of a path that has ended, or of the ledger to a question that is settled
            case LedgerSaid _, AskLedger _, Saved _, Resumed _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.CreateVm create
            when create.spec().name().equals(core.spec.name()) && create.epoch() == core.epoch() -> {
                create.replyTo().tell(new HostReply.VmChanged(core.stand(RunState.RUNNING, Optional.empty())));
                yield Behaviors.same();
            }
            case HostCommand.CreateVm _ ->
                core.refuse(asked, "VM " + core.spec.name() + " exists under epoch " + core.epoch());
            case HostCommand.DestroyVm destroy when destroy.epoch() >= core.epoch() -> stopThenClose(destroy.replyTo());
            case HostCommand.DestroyVm destroy -> core.refuse(asked, core.stale(destroy.epoch()));
            case HostCommand.CheckVm check -> VmChecking.begin(core, own, check);
            case HostCommand.BeginSave begin when begin.epoch() == core.epoch() -> beginSave(begin);
            case HostCommand.BeginSave begin -> core.refuse(asked, core.stale(begin.epoch()));
            case HostCommand.RunVm run when knows(run.migration()) && run.epoch() == core.epoch() -> repeat();
            // the word that it runs was lost, and with it the coordinator's memory of having been told that it had
            // loaded
            case HostCommand.PrepareIncoming prepare when knows(prepare.migration()) -> repeat();
            case HostCommand.RunVm run
            when run.epoch() >= core.epoch() -> {
                // granted again after an aborted handoff before which it had not stopped: only the epoch is new
                core.granted(run.epoch());
                core.host.runLog().running(core.spec.name(), core.epoch());
                core.stand(RunState.RUNNING, Optional.empty());
                core.report(new MigrationReport.VmRunning(run.migration(), core.host.host(), core.epoch(), List.of()));
                yield Behaviors.same();
            }
            case HostCommand.RunVm run -> core.refuse(asked, core.stale(run.epoch()));
            case HostCommand.CancelSave cancel -> {
                core.report(new MigrationReport.SaveFailed(
                        cancel.migration(), core.host.host(), "it was not being saved", true, false, List.of()));
                yield Behaviors.same();
            }
            case HostCommand.SwitchOver _ -> core.refuse(asked, "it is not being saved");
            case HostCommand.AdjustSave _ -> core.refuse(asked, "it is not being saved");
            case HostCommand.DescribeVm describe -> core.describe(own, describe);
            case HostCommand.ReleaseSource _ -> core.refuse(asked, here());
            case HostCommand.PrepareIncoming _ -> core.refuse(asked, here() + " already");
            case HostCommand.DiscardIncoming _ -> core.refuse(asked, here() + ", granted epoch " + core.epoch());
        };
    }

    private Behavior<Command> beginSave(HostCommand.BeginSave begin) {
        Optional<String> refusal = P2pRule.refusal(core.spec, core.host.models());
        if (refusal.isEmpty()) {
            return Departure.begin(core, own, begin);
        }
        core.report(new MigrationReport.SaveFailed(
                begin.migration(), core.host.host(), refusal.get(), false, false, List.of()));
        return Behaviors.same();
    }

    private Behavior<Command> stopThenClose(ActorRef<HostReply> replyTo) {
        core.changeRunState(own, RunState.PAUSED);
        return Behaviors.receiveMessage(command -> switch (command) {
            // a guest that does not stop in good order is closed all the same: closing ends its vCPUs
            case RunStateReplied _ ->
                core.stash.unstashAll(VmClosing.begin(
                        core, Optional.empty(), () -> replyTo.tell(new HostReply.VmGone(core.spec.name()))));
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private boolean knows(String migration) {
        return told.filter(report -> report.migration().equals(migration)).isPresent();
    }

    private Behavior<Command> repeat() {
        told.ifPresent(core::report);
        return Behaviors.same();
    }

    private String here() {
        return "VM " + core.spec.name() + " runs here";
    }
}
