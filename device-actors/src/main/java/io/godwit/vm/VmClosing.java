package io.godwit.vm;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A VM leaves this host for good: everything is freed, then the agent hears that it is gone. Whoever wants it destroyed is
 * answered then; a migration's repeated word to let go, or to discard, is answered by the report at the end.
 *
 * <pre>closing → (Gone)</pre>
 */
final class VmClosing {
    private final VmCore core;
    private final Optional<MigrationReport> last;
    private final List<ActorRef<HostReply>> waiting = new ArrayList<>();

    private VmClosing(VmCore core, Optional<MigrationReport> last) {
        this.core = core;
        this.last = last;
    }

    /** Frees everything; no job touches the guest any more. {@code then} runs when nothing is left. */
    static Behavior<Command> begin(VmCore core, Optional<MigrationReport> last, Runnable then) {
        return new VmClosing(core, last).closing(then);
    }

    private Behavior<Command> closing(Runnable then) {
        core.timers.cancelAll();
        VmBuilder made = core.builtOrNull();
        if (made != null) {
            core.host.runLog().stopped(core.spec.name(), core.epoch());
        }
        core.io(
                () -> {
                    if (made != null) {
                        made.close();
                    }
                    return true;
                },
                (_, error) -> {
                    if (!error.isEmpty()) {
                        core.context.getLog().error("{}: closing: {}", core.spec.name(), error);
                    }
                    return new Closed();
                });
        return Behaviors.receiveMessage(command -> switch (command) {
            case Closed() -> {
                // first: who hears the rest may send the VM's name back at once
                core.host.observer().tell(new Vm.Event.Gone(core.spec.name(), last));
                then.run();
                waiting.forEach(replyTo -> replyTo.tell(new HostReply.VmGone(core.spec.name())));
                yield Behaviors.stopped();
            }
            case Asked(var asked) -> asked(asked);
            case StreamArrived arrived -> core.refuse(arrived, freed());
            case Built _, RunStateReplied _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _ ->
                Behaviors.same();
        });
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.DestroyVm destroy -> {
                waiting.add(destroy.replyTo());
                yield Behaviors.same();
            }
            case HostCommand.ReleaseSource c when ends(c.migration()) -> Behaviors.same();
            case HostCommand.DiscardIncoming c when ends(c.migration()) -> Behaviors.same();
            case HostCommand.CreateVm _,
                    HostCommand.CheckVm _,
                    HostCommand.BeginSave _,
                    HostCommand.SwitchOver _,
                    HostCommand.CancelSave _,
                    HostCommand.AdjustSave _,
                    HostCommand.DescribeVm _,
                    HostCommand.RunVm _,
                    HostCommand.ReleaseSource _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _ -> core.refuse(asked, freed());
        };
    }

    private boolean ends(String migration) {
        return last.filter(report -> report.migration().equals(migration)).isPresent();
    }

    private String freed() {
        return "VM " + core.spec.name() + " is just being freed here";
    }
}
