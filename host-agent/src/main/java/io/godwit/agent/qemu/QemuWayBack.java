package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.AskLedger;
import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.Heard;
import io.godwit.agent.qemu.QemuVm.LedgerSaid;
import io.godwit.agent.qemu.QemuVm.Overdue;
import io.godwit.agent.qemu.QemuVm.Polled;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.agent.qemu.QemuVm.Tick;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A VM that was to leave stays, as far as this host can tell: its migration was cancelled, has failed, or the ledger has given the
 * VM back. QEMU's own migration is ended first. Then a VM that has not surrendered runs again under the grant it has; one that
 * has surrendered stands until the ledger says whose it is.
 *
 * <pre>going back → QemuRunning;  → QemuReleasing (it was committed after all)</pre>
 */
final class QemuWayBack {
    private final QemuCore core;
    private final QemuLeaving leaving;
    private @Nullable String why;
    private boolean cancelled;
    private boolean cancelling;
    private long granted;
    private long runsUnder;
    private boolean running;

    private QemuWayBack(QemuLeaving leaving) {
        this.core = leaving.core;
        this.leaving = leaving;
    }

    /** {@code asked}: somebody wants it so; otherwise this agent gives it up. */
    static Behavior<Command> givenUp(QemuLeaving leaving, String why, boolean asked) {
        QemuWayBack back = new QemuWayBack(leaving);
        back.because(why, asked);
        back.endMigration();
        return back.goingBack();
    }

    /** QEMU was not told all that it needs to begin, or has refused it. */
    static Behavior<Command> notBegun(QemuLeaving leaving, String error) {
        QemuWayBack back = new QemuWayBack(leaving);
        back.notBegun(error);
        return back.goingBack();
    }

    /** QEMU says that it has failed or was cancelled. */
    static Behavior<Command> failed(QemuLeaving leaving, QemuFigures figures) {
        QemuWayBack back = new QemuWayBack(leaving);
        back.failed(figures);
        return back.goingBack();
    }

    /** The ledger gave the VM back: no destination can ever commit, so the migration may be ended from any state. */
    static Behavior<Command> granted(QemuLeaving leaving, long epoch) {
        QemuWayBack back = new QemuWayBack(leaving);
        back.grant(epoch);
        return back.goingBack();
    }

    /** Its process has ended. */
    static Behavior<Command> exited(QemuLeaving leaving, String how) {
        return new QemuWayBack(leaving).exited(how);
    }

    private Behavior<Command> goingBack() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Heard(QmpMonitor.Disconnected _) -> Behaviors.same();
            case Heard _ -> core.poll();
            case Polled(var figures, var _) -> {
                core.polled();
                if (figures != null && leaving.heeds(figures)) {
                    polled(figures);
                }
                yield Behaviors.same();
            }
            case Stepped(var step, var error) -> stepped(step, error);
            case Exited(var how) -> exited(how);
            case Tick() -> core.ended().isPresent() ? Behaviors.same() : core.poll();
            case AskLedger() -> core.askLedger();
            case LedgerSaid(var reply) -> {
                ledgerSaid(reply.view());
                yield Behaviors.same();
            }
            case Overdue(var step) -> {
                if (step == Step.SWITCHOVER || step == Step.CANCEL) {
                    core.hangs(step);
                } else if (step == Step.RECOVER) {
                    leaving.recovery.again();
                }
                yield Behaviors.same();
            }
            case QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private void because(String reason, boolean asked) {
        if (why == null) {
            why = reason;
            cancelled = asked;
        }
    }

    /** Until QEMU has answered what it was set up with, it cannot be cancelled. */
    private void endMigration() {
        if (leaving.isEnded()) {
            if (leaving.isCompleted() && leaving.isReady()) {
                core.askLedger();
            }
        } else if (leaving.isSetUp()) {
            cancelling = true;
            core.cancelMigration();
            core.poll();
        }
    }

    private void notBegun(String error) {
        core.timers.cancel(Step.SETUP);
        because(error, false);
        leaving.ended();
        // without an answer nobody knows whether it began
        core.step(Step.CANCEL, core.session().call("migrate_cancel"));
        runAgain(granted > 0 ? granted : core.epoch());
    }

    private void polled(QemuFigures figures) {
        long now = leaving.now();
        leaving.take(figures, now, !figures.running());
        if (figures.postcopy()) {
            leaving.time.completed(now);
            core.timers.cancel(Step.SWITCHOVER);
            if (granted > 0 && figures.status().equals("postcopy-active")) {
                // the destination never ran and never will, so what is here is all of the VM
                grant(granted);
            }
            leaving.recovery.look(figures);
        } else if (figures.failed()) {
            failed(figures);
        } else if (figures.completed() && leaving.completed(figures, now)) {
            completed();
        }
    }

    private void failed(QemuFigures figures) {
        core.timers.cancel(Step.SETUP);
        core.timers.cancel(Step.STOP);
        core.timers.cancel(Step.SWITCHOVER);
        core.timers.cancel(Step.CANCEL);
        because(
                "QEMU's migration " + figures.status()
                        + figures.error().map(error -> ": " + error).orElse(""),
                false);
        leaving.ended();
        if (granted > 0) {
            runAgain(granted);
        } else if (!leaving.hasSurrendered()) {
            runAgain(core.epoch());
        } else {
            if (figures.running()) {
                core.context.getLog().error("{}: QEMU runs a VM that has been handed off; stopping it", core.name());
                leaving.stopping();
                core.step(Step.STOP, core.stop());
            }
            sayFailed(true);
        }
    }

    /** The word to give it up came too late for QEMU, not for the ledger: nobody asked that for a handoff, or it must tell. */
    private void completed() {
        if (granted > 0) {
            runAgain(granted);
        } else if (!leaving.hasSurrendered()) {
            if (leaving.isReady()) {
                core.askLedger();
            } else {
                runAgain(core.epoch());
            }
        }
    }

    private void ledgerSaid(OwnershipView view) {
        if (leaving.givenBack(view)) {
            grant(view.epoch());
        } else if (!leaving.hasSurrendered() && leaving.isEnded() && leaving.isCompleted()) {
            boolean open = view.handoff().isPresent();
            if (view.epoch() == core.epoch() && view.grants(core.host.host()) && !open) {
                runAgain(core.epoch());
            } else {
                // handed off after all: it stands until the ledger says more
                leaving.surrender();
            }
        }
    }

    private void grant(long epoch) {
        if (core.ended().isPresent()) {
            core.refuse(leaving.migration(), "RunVm", core.ended().get());
            return;
        }
        granted = epoch;
        if (leaving.isEnded()) {
            runAgain(epoch);
        } else if (leaving.reports.postcopyBroken()) {
            // QEMU 7.2 would be cancelling for ever
            String broken =
                    "its postcopy broke off before the destination ran, and QEMU takes a VM back only from a postcopy"
                            + " whose link works";
            core.standFailed(broken, Optional.of(leaving.migration()));
            core.refuse(leaving.migration(), "RunVm", broken);
        } else if (!cancelling) {
            endMigration();
        }
    }

    /** QEMU's migration has ended, and the VM is this host's, under {@code epoch}. */
    private void runAgain(long epoch) {
        runsUnder = epoch;
        if (!running && !leaving.isStopPending()) {
            running = true;
            core.step(Step.RUN, core.run(epoch));
        }
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SETUP -> {
                if (error.isEmpty()) {
                    leaving.setUp();
                    endMigration();
                } else {
                    notBegun(error);
                }
                yield Behaviors.same();
            }
            case STOP -> {
                leaving.stopAnswered(error.isEmpty());
                if (runsUnder > 0) {
                    runAgain(runsUnder);
                }
                yield core.poll();
            }
            case RUN -> {
                running = false;
                yield ran(error);
            }
            case SWITCHOVER, CANCEL, ADJUST -> {
                if (!error.isEmpty()) {
                    core.context.getLog().warn("{}: {}: {}", core.name(), step, error);
                }
                yield core.poll();
            }
            case RECOVER -> {
                leaving.recovery.answered(error);
                yield core.poll();
            }
            case CONNECT, RELEASE, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> ran(String error) {
        if (!error.isEmpty()) {
            runsUnder = 0;
            String failure = "it did not run again: " + error;
            core.standFailed(failure, Optional.of(leaving.migration()));
            if (granted > 0) {
                return core.refuse(leaving.migration(), "RunVm", failure);
            }
            // the coordinator hears that it needs a grant, and QEMU is told again with that
            why = why == null ? failure : why + "; " + failure;
            leaving.needsGrant();
            sayFailed(true);
            return Behaviors.same();
        }
        leaving.time.runsAgain();
        if (granted > 0) {
            return core.runs(leaving.migration(), granted, leaving.reports.trail(), -1);
        }
        sayFailed(false);
        return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
    }

    private Behavior<Command> exited(String how) {
        core.host.runLog().stopped(core.name(), core.epoch());
        core.ended(how);
        leaving.ended();
        why = "QEMU " + how;
        if (leaving.hasSurrendered()) {
            // the destination may have all of it
            core.stand(RunState.INTERNAL_ERROR, Optional.of(leaving.migration()));
            sayFailed(true);
            return goingBack();
        }
        sayFailed(false);
        return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
    }

    private void sayFailed(boolean standing) {
        if (!leaving.saidFailed()) {
            leaving.say(new MigrationReport.SaveFailed(
                    leaving.migration(),
                    core.host.host(),
                    why == null ? "" : why,
                    cancelled,
                    standing,
                    leaving.reports.trail()));
        }
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when leaving.ours(c.migration()) -> {
                leaving.repeat();
                yield Behaviors.same();
            }
            case HostCommand.CancelSave c
            when leaving.ours(c.migration()) && !leaving.hasSurrendered() -> {
                because(c.reason(), true);
                if (leaving.isEnded()) {
                    endMigration();
                }
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when leaving.ours(c.migration()) && c.epoch() > core.epoch() -> {
                grant(c.epoch());
                yield Behaviors.same();
            }
            case HostCommand.ReleaseSource c
            when leaving.ours(c.migration()) && c.epoch() > core.epoch() && leaving.hasSurrendered() ->
                QemuReleasing.begin(leaving, c.standingMicros());
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.DescribeVm _,
                    HostCommand.CheckVm _,
                    HostCommand.AdjustSave _,
                    HostCommand.BeginSave _,
                    HostCommand.SwitchOver _,
                    HostCommand.CancelSave _,
                    HostCommand.RunVm _,
                    HostCommand.ReleaseSource _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _ -> leaving.refuse(asked);
        };
    }
}
