package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.Heard;
import io.godwit.agent.qemu.QemuVm.Overdue;
import io.godwit.agent.qemu.QemuVm.Polled;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.agent.qemu.QemuVm.Tick;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The VM runs at its destination, and what is here may go as soon as QEMU is through with it: in postcopy when the destination
 * has fetched all of its memory, whenever that is; otherwise QEMU is a moment behind its destination's word, and is waited for
 * so that its own end is seen and told, but not for ever.
 *
 * <pre>releasing → QemuClosing</pre>
 */
final class QemuReleasing {
    private final QemuCore core;
    private final QemuLeaving leaving;
    private final long heard;
    private final long standingMicros;

    private QemuReleasing(QemuLeaving leaving, long standingMicros) {
        this.core = leaving.core;
        this.leaving = leaving;
        this.heard = leaving.now();
        this.standingMicros = standingMicros;
    }

    /** {@code standingMicros}: how long the VM stood at the destination, loaded, in microseconds; -1 when that is not known. */
    static Behavior<Command> begin(QemuLeaving leaving, long standingMicros) {
        QemuReleasing releasing = new QemuReleasing(leaving, standingMicros);
        if (leaving.isEnded() || leaving.core.ended().isPresent()) {
            return releasing.letGo();
        }
        releasing.limit();
        leaving.core.poll();
        return releasing.releasing();
    }

    /** Where its memory may still be fetched from here, only QEMU says when it is through. */
    private void limit() {
        if (leaving.limits().postcopy()) {
            core.timers.cancel(Step.SWITCHOVER);
        } else {
            core.timers.startSingleTimer(
                    Step.RELEASE,
                    new Overdue(Step.RELEASE),
                    core.qemu.settings().releaseTimeout());
        }
    }

    private Behavior<Command> releasing() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Heard(QmpMonitor.Disconnected _) -> Behaviors.same();
            case Heard _, Tick() -> core.poll();
            case Polled(var figures, var _) -> {
                core.polled();
                yield figures != null && leaving.heeds(figures) ? polled(figures) : Behaviors.same();
            }
            case Stepped(var step, var error) -> {
                if (step == Step.RECOVER) {
                    leaving.recovery.answered(error);
                    core.poll();
                }
                yield Behaviors.same();
            }
            case Exited(var how) -> {
                core.ended(how);
                if (leaving.reports.postcopy()) {
                    core.context
                            .getLog()
                            .error(
                                    "{}: QEMU {} before the destination had fetched all of its memory",
                                    core.name(),
                                    how);
                }
                yield letGo();
            }
            case Overdue(var step) -> overdue(step);
            case QemuVm.AskLedger _, QemuVm.LedgerSaid _, QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ ->
                Behaviors.same();
        });
    }

    private Behavior<Command> polled(QemuFigures figures) {
        long now = leaving.now();
        leaving.take(figures, now, true);
        if (figures.running()) {
            core.context.getLog().error("{}: QEMU runs a VM that is another host's; ending it", core.name());
            return letGo();
        }
        if (figures.postcopy()) {
            leaving.recovery.look(figures);
            return Behaviors.same();
        }
        if (figures.completed()) {
            return leaving.completed(figures, now) ? letGo() : Behaviors.same();
        }
        return figures.failed() ? letGo() : Behaviors.same();
    }

    private Behavior<Command> overdue(Step step) {
        return switch (step) {
            case RELEASE, SWITCHOVER -> {
                core.context
                        .getLog()
                        .warn(
                                "{}: it runs at its destination, and QEMU is still at its migration here: {}",
                                core.name(),
                                leaving.reports.latest());
                yield letGo();
            }
            case RECOVER -> {
                leaving.recovery.again();
                yield Behaviors.same();
            }
            case SETUP, CONNECT, STOP, CANCEL, RUN, ADJUST, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> letGo() {
        Downtime stood = leaving.time.downtime(heard, standingMicros);
        learn(stood.totalMicros());
        MigrationReport released = new MigrationReport.SourceReleased(
                leaving.migration(),
                core.host.host(),
                leaving.reports.stats(leaving.now()),
                stood,
                leaving.reports.trail(),
                List.of());
        return QemuClosing.quit(core, Optional.of(released), () -> core.report(released));
    }

    private void learn(long totalMicros) {
        QemuSaveReports reports = leaving.reports;
        core.context
                .getLog()
                .info(
                        "{}: stood still for {} us, predicted {} us, {} bytes sent meanwhile",
                        core.name(),
                        totalMicros,
                        reports.stats(heard).predictedDowntimeMicros(),
                        reports.standingBytes());
        if (totalMicros > 0 && !leaving.limits().postcopy()) {
            core.qemu
                    .learnt()
                    .learn(
                            leaving.way,
                            new QemuLearnt.Standstill(
                                    leaving.isStoppedByQemu(),
                                    totalMicros,
                                    reports.leftAtStopBytes(),
                                    reports.standingBytes(),
                                    leaving.time.drainMicros()),
                            core.host.settings().learntFixedMax());
        }
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.ReleaseSource c when leaving.ours(c.migration()) -> core.poll();
            case HostCommand.CancelSave c
            when leaving.ours(c.migration()) ->
                core.refuse(asked, "VM " + core.name() + " runs at its destination: there is no way back");
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.DescribeVm _,
                    HostCommand.CheckVm _,
                    HostCommand.BeginSave _,
                    HostCommand.AdjustSave _,
                    HostCommand.SwitchOver _,
                    HostCommand.CancelSave _,
                    HostCommand.RunVm _,
                    HostCommand.ReleaseSource _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _ -> leaving.refuse(asked);
        };
    }
}
