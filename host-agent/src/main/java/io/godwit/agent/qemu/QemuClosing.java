package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Closed;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.Overdue;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.migration.DataPlane;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.vm.Vm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A QEMU leaves this host for good: it is told to quit, killed when it does not in time, and its manifest is removed when its
 * process has ended; then the agent hears that it is gone. Its logs stay until a VM of that name starts here again.
 *
 * <pre>quitting → forgetting → (Gone)</pre>
 */
final class QemuClosing {
    private final QemuCore core;
    private final Optional<MigrationReport> last;
    private final Runnable then;
    private final List<ActorRef<HostReply>> waiting = new ArrayList<>();

    private QemuClosing(QemuCore core, Optional<MigrationReport> last, Runnable then) {
        this.core = core;
        this.last = last;
        this.then = then;
    }

    /** In good order. {@code then} runs when nothing is left. */
    static Behavior<Command> quit(QemuCore core, Optional<MigrationReport> last, Runnable then) {
        QemuClosing closing = new QemuClosing(core, last, then);
        core.timers.cancelAll();
        if (core.ended().isPresent() || !core.connected()) {
            return closing.forgetting();
        }
        core.step(Step.STOP, core.session().call("quit"));
        core.timers.startSingleTimer(
                new Overdue(Step.STOP), core.qemu.settings().quitTimeout());
        return closing.quitting();
    }

    /** At once: nothing in it is worth anything. */
    static Behavior<Command> kill(QemuCore core, Optional<MigrationReport> last, Runnable then) {
        QemuClosing closing = new QemuClosing(core, last, then);
        core.timers.cancelAll();
        if (core.ended().isPresent() || core.process().isEmpty()) {
            return closing.forgetting();
        }
        core.process().ifPresent(QemuProcess::kill);
        return closing.quitting();
    }

    private Behavior<Command> quitting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Exited(var how) -> {
                core.ended(how);
                yield forgetting();
            }
            // of somebody else's child the end is not seen: its answer, or the end of its monitor, has to do
            case Stepped(var step, var _)
            when step == Step.STOP && core.process().isEmpty() -> forgetting();
            case Overdue(var step) when step == Step.STOP && core.process().isEmpty() -> forgetting();
            case Overdue(var step)
            when step == Step.STOP -> {
                core.process().ifPresent(QemuProcess::kill);
                yield Behaviors.same();
            }
            case Asked(var asked) -> asked(asked);
            case Closed _,
                    Overdue _,
                    Stepped _,
                    QemuVm.Heard _,
                    QemuVm.Launched _,
                    QemuVm.Started _,
                    QemuVm.Polled _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Tick _ -> Behaviors.same();
        });
    }

    private Behavior<Command> forgetting() {
        core.timers.cancelAll();
        core.host.runLog().stopped(core.name(), core.epoch());
        core.context.pipeToSelf(core.forget(), (_, thrown) -> {
            if (thrown != null) {
                core.context.getLog().error("{}: closing: {}", core.name(), DataPlane.reason(thrown));
            }
            return new Closed();
        });
        return Behaviors.receiveMessage(command -> switch (command) {
            case Closed() -> {
                // first: who hears the rest may send the VM's name back at once
                core.host.observer().tell(new Vm.Event.Gone(core.name(), last));
                then.run();
                waiting.forEach(replyTo -> replyTo.tell(new HostReply.VmGone(core.name())));
                yield Behaviors.stopped();
            }
            case Asked(var asked) -> asked(asked);
            case Exited _,
                    Overdue _,
                    Stepped _,
                    QemuVm.Heard _,
                    QemuVm.Launched _,
                    QemuVm.Started _,
                    QemuVm.Polled _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Tick _ -> Behaviors.same();
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
                    HostCommand.DiscardIncoming _ ->
                core.refuse(asked, "VM " + core.name() + " is just being freed here");
        };
    }

    private boolean ends(String migration) {
        return last.filter(report -> report.migration().equals(migration)).isPresent();
    }
}
