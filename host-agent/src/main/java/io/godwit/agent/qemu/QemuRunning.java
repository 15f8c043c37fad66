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
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.RunState;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * The guest runs under its grant, or has failed by itself, and nothing else is going on.
 *
 * <pre>running → QemuDeparture | QemuChecking | QemuClosing</pre>
 */
final class QemuRunning {
    private static final String LOST = "lost";
    private static final String LOOK = "look";
    /** What most migrations begin with. */
    private static final SaveLimits NO_LIMITS = new SaveLimits(0, 0, 0, 0, 0, false);

    private final QemuCore core;
    private final Optional<MigrationReport.VmRunning> told;
    private final QemuRecovery recovery;
    private boolean fetching;
    private boolean stood;
    private boolean prepared;

    private QemuRunning(QemuCore core, Optional<MigrationReport.VmRunning> told) {
        this.core = core;
        this.told = told;
        this.recovery = QemuRecovery.ofDestination(core);
    }

    /** {@code told}: what ended the last migration, repeated to whoever does not know yet. */
    static Behavior<Command> begin(QemuCore core, Optional<MigrationReport.VmRunning> told) {
        core.timers.cancelAll();
        core.stand(core.paused() ? RunState.PAUSED : RunState.RUNNING, Optional.empty());
        if (core.connected() && core.ended().isEmpty()) {
            // whether it can be migrated changes without an event: a device is plugged, a file system is mounted
            core.timers.startTimerWithFixedDelay(
                    LOOK, new Tick(), core.qemu.settings().lookInterval());
            core.poll();
        }
        return new QemuRunning(core, told).running();
    }

    private Behavior<Command> running() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Exited(var how) -> {
                core.host.runLog().stopped(core.name(), core.epoch());
                core.ended(how);
                core.stand(RunState.INTERNAL_ERROR, Optional.empty());
                yield Behaviors.same();
            }
            case Heard(var event) -> heard(event);
            case Polled(var figures, var _) -> {
                core.polled();
                if (figures != null) {
                    stand(figures);
                }
                yield Behaviors.same();
            }
            case Overdue(var step)
            when step == Step.CONTACT -> {
                core.standFailed(
                        "its monitor has been out of reach for "
                                + core.qemu.settings().lostTimeout().toMillis() + " ms",
                        Optional.empty());
                yield Behaviors.same();
            }
            case Overdue(var step)
            when step == Step.RECOVER -> {
                recovery.again();
                yield Behaviors.same();
            }
            case Stepped(var step, var error)
            when step == Step.RECOVER -> {
                recovery.answered(error);
                yield core.poll();
            }
            case Tick() -> core.ended().isPresent() ? Behaviors.same() : core.poll();
            // late words of a path that has ended, or of the ledger to a question that is settled
            case Overdue _,
                    Stepped _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Launched _,
                    QemuVm.Started _,
                    QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> heard(QmpMonitor.Event event) {
        return switch (event) {
            case QmpMonitor.Happened _ -> core.poll();
            case QmpMonitor.Connected _ -> {
                core.timers.cancel(LOST);
                yield core.poll();
            }
            case QmpMonitor.Disconnected _ -> {
                if (core.process().isEmpty()) {
                    core.timers.startSingleTimer(
                            LOST,
                            new Overdue(Step.CONTACT),
                            core.qemu.settings().lostTimeout());
                }
                yield Behaviors.same();
            }
        };
    }

    private void stand(QemuFigures figures) {
        core.blocked(figures.blocked());
        if (figures.postcopy() != fetching) {
            fetching = figures.postcopy();
            core.timers.startTimerWithFixedDelay(
                    LOOK,
                    new Tick(),
                    fetching
                            ? core.qemu.settings().tick()
                            : core.qemu.settings().lookInterval());
        }
        if (!prepared && !figures.migrating() && !core.foreign()) {
            prepared = true;
            core.step(Step.ADJUST, QemuDeparture.prepare(core, NO_LIMITS));
        }
        if (fetching) {
            core.blocked(List.of("the rest of its memory is still fetched from the host it came from"));
            recovery.look(figures);
        }
        if (figures.postcopyPaused()) {
            core.standFailed(
                    "the rest of its memory cannot be fetched: the link to the host it came from is broken, and is tried"
                            + " again all the while",
                    Optional.empty());
            return;
        }
        if (!pausedByOperator(figures)) {
            return;
        }
        RunState state = figures.fleetRunState();
        if (core.paused() && state == RunState.POSTMIGRATE) {
            state = RunState.PAUSED;
        }
        if (state == RunState.INTERNAL_ERROR) {
            core.standFailed("QEMU stands in " + figures.runState(), Optional.empty());
        } else {
            core.stand(state, Optional.empty());
        }
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.CreateVm create
            when create.spec().name().equals(core.name())
                    && create.epoch() == core.epoch()
                    && core.ended().isEmpty() -> {
                create.replyTo().tell(new HostReply.VmChanged(core.stand(RunState.RUNNING, Optional.empty())));
                yield Behaviors.same();
            }
            case HostCommand.CreateVm _ ->
                core.refuse(asked, "VM " + core.name() + " exists under epoch " + core.epoch());
            case HostCommand.DestroyVm destroy
            when destroy.epoch() >= core.epoch() ->
                QemuClosing.quit(
                        core, Optional.empty(), () -> destroy.replyTo().tell(new HostReply.VmGone(core.name())));
            case HostCommand.DestroyVm destroy -> core.refuse(asked, core.stale(destroy.epoch()));
            case HostCommand.CheckVm _ when fetching -> core.refuse(asked, fetching());
            case HostCommand.BeginSave _ when fetching -> core.refuse(asked, fetching());
            case HostCommand.CheckVm check -> QemuChecking.begin(core, told, check);
            case HostCommand.BeginSave begin when begin.epoch() == core.epoch() -> beginSave(begin);
            case HostCommand.BeginSave begin -> core.refuse(asked, core.stale(begin.epoch()));
            case HostCommand.RunVm run when knows(run.migration()) && run.epoch() == core.epoch() -> repeat();
            case HostCommand.PrepareIncoming prepare when knows(prepare.migration()) -> repeat();
            case HostCommand.RunVm run
            when run.epoch() >= core.epoch() && core.ended().isEmpty() -> {
                // granted again after an aborted handoff before which it had not stopped: only the epoch is new
                core.granted(run.epoch());
                core.step(Step.RUN, core.run(core.epoch()));
                core.stand(RunState.RUNNING, Optional.empty());
                core.report(new MigrationReport.VmRunning(run.migration(), core.host.host(), core.epoch(), List.of()));
                yield Behaviors.same();
            }
            case HostCommand.RunVm run -> core.refuse(asked, core.ended().orElse(core.stale(run.epoch())));
            case HostCommand.CancelSave cancel -> {
                core.report(new MigrationReport.SaveFailed(
                        cancel.migration(), core.host.host(), "it was not being saved", true, false, List.of()));
                yield Behaviors.same();
            }
            case HostCommand.SwitchOver _ -> core.refuse(asked, "it is not being saved");
            case HostCommand.AdjustSave _ -> core.refuse(asked, "it is not being saved");
            case HostCommand.DescribeVm describe -> core.describe(describe);
            case HostCommand.ReleaseSource _ -> core.refuse(asked, here());
            case HostCommand.PrepareIncoming _ -> core.refuse(asked, here() + " already");
            case HostCommand.DiscardIncoming _ -> core.refuse(asked, here() + ", granted epoch " + core.epoch());
        };
    }

    private Behavior<Command> beginSave(HostCommand.BeginSave begin) {
        // what QEMU itself has against it QEMU says when it is asked to begin: what it said last may be over
        List<String> blockers = QemuBlockers.of(core.spec());
        Optional<String> refusal =
                core.ended().or(() -> blockers.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", blockers)));
        if (refusal.isEmpty()) {
            return QemuDeparture.begin(core, begin);
        }
        core.report(new MigrationReport.SaveFailed(
                begin.migration(), core.host.host(), refusal.get(), false, false, List.of()));
        return Behaviors.same();
    }

    /**
     * Nobody else stops it while it is here, so one that stands twice in a row was paused by its operator: the first time may
     * have been asked before the last word to run. False when it is to be looked at again.
     */
    private boolean pausedByOperator(QemuFigures figures) {
        if (figures.running()) {
            stood = false;
            core.paused(false);
        } else if (figures.runState().equals("paused") && !core.paused()) {
            if (!stood) {
                stood = true;
                core.poll();
                return false;
            }
            core.paused(true);
        }
        return true;
    }

    private String fetching() {
        return "the rest of VM " + core.name() + "'s memory is still fetched from the host it came from (postcopy)";
    }

    private boolean knows(String migration) {
        return told.filter(report -> report.migration().equals(migration)).isPresent();
    }

    private Behavior<Command> repeat() {
        told.ifPresent(core::report);
        return Behaviors.same();
    }

    private String here() {
        return "VM " + core.name() + " runs here";
    }
}
