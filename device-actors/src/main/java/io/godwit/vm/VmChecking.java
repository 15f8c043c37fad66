package io.godwit.vm;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
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
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM stands still for a moment, is looked at, and runs on. It is not left before it runs: what does not start is tried
 * again, and meanwhile shown as failed.
 *
 * <pre>pausing → looking → resuming → VmRunning;  pausing → resuming (it did not stop in good order)</pre>
 */
final class VmChecking {
    private final VmCore core;
    private final VmParts own;

    private VmChecking(VmCore core, VmParts own) {
        this.core = core;
        this.own = own;
    }

    static Behavior<Command> begin(VmCore core, VmParts own, HostCommand.CheckVm check) {
        return new VmChecking(core, own).pausing(check);
    }

    private Behavior<Command> pausing(HostCommand.CheckVm check) {
        core.changeRunState(own, RunState.PAUSED);
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed _) -> looking(check);
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                check.replyTo().tell(core.refusal(reason));
                yield resuming();
            }
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case Checked _, Built _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> looking(HostCommand.CheckVm check) {
        core.io(() -> core.requireBuilt().check(), Checked::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Checked(var result, var error) -> {
                check.replyTo()
                        .tell(result == null ? core.refusal(error) : new HostReply.VmChecked(core.spec.name(), result));
                yield resuming();
            }
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case RunStateReplied _, Built _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> resuming() {
        core.changeRunState(own, RunState.RUNNING);
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed _) -> core.stash.unstashAll(VmRunning.begin(core, own));
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                core.standFailed("it does not run on after a look: " + reason, Optional.empty());
                yield waiting();
            }
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case Checked _, Built _, Closed _ -> Behaviors.unhandled();
        });
    }

    /** Tries again when the timer that VmRunning has started says so; may be destroyed. */
    private Behavior<Command> waiting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case LookAtGuest() -> resuming();
            case Asked(HostCommand.DestroyVm destroy)
            when destroy.epoch() >= core.epoch() ->
                core.stash.unstashAll(VmClosing.begin(
                        core, Optional.empty(), () -> destroy.replyTo().tell(new HostReply.VmGone(core.spec.name()))));
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case RunStateReplied _, Checked _, Built _, Closed _ -> Behaviors.unhandled();
        });
    }
}
