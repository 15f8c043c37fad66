package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A VM that leaves stands still, and goes to its destination; {@link QemuDeparture} says how and in which order. While it stands,
 * QEMU's word is acted upon before it has been asked how it stands.
 */
final class QemuSwitchover {
    private enum Phase {
        /** It stands by our own word: the handoff has been asked for. */
        STOPPED,
        /** It stands by QEMU's decision, and goes to the destination without a handoff, which is asked for at the end. */
        EARLY,
        /** It goes to the destination under the handoff. */
        LOADING
    }

    private final QemuCore core;
    private final QemuLeaving leaving;
    private Phase phase;
    private boolean drained;

    private QemuSwitchover(QemuLeaving leaving, Phase phase) {
        this.core = leaving.core;
        this.leaving = leaving;
        this.phase = phase;
    }

    /** QEMU has stopped nothing itself, and lets the VM run again in no case; {@code drained}: it waits at pre-switchover already. */
    static Behavior<Command> stopped(QemuLeaving leaving, boolean drained, long now) {
        QemuSwitchover switchover = new QemuSwitchover(leaving, Phase.STOPPED);
        switchover.drained = drained;
        leaving.time.stopped(now);
        if (drained) {
            leaving.time.drained(now);
        } else if (leaving.limits().postcopy()) {
            switchover.startPostcopy();
        } else {
            leaving.core.step(Step.ADJUST, leaving.core.parameters(switchover.hurry()));
        }
        leaving.ready(now);
        return switchover.standing();
    }

    /** QEMU believes that it has stopped the VM itself, and lets it run after a failure. It waits at pre-switchover. */
    static Behavior<Command> stoppedByQemu(QemuLeaving leaving, long now) {
        QemuSwitchover switchover = new QemuSwitchover(leaving, Phase.EARLY);
        leaving.stoppedByQemu();
        leaving.time.drained(now);
        switchover.goOn(now);
        return switchover.standing();
    }

    /** QEMU is past pre-switchover, though nobody here has told it to go on. */
    static Behavior<Command> found(QemuLeaving leaving, QemuFigures figures) {
        QemuSwitchover switchover = new QemuSwitchover(leaving, Phase.EARLY);
        leaving.stoppedByQemu();
        switchover.stands(figures, leaving.now());
        return switchover.standing();
    }

    private Behavior<Command> standing() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Heard(QmpMonitor.Happened(var event)) -> happened(event, leaving.now());
            case Heard(QmpMonitor.Connected _) -> core.poll();
            case Heard(QmpMonitor.Disconnected _) -> Behaviors.same();
            case Polled(var figures, var _) -> {
                core.polled();
                yield figures != null && leaving.heeds(figures) ? polled(figures) : Behaviors.same();
            }
            case Stepped(var step, var error) -> stepped(step, error);
            case Exited(var how) -> QemuWayBack.exited(leaving, how);
            case Tick() -> core.poll();
            case AskLedger() -> core.askLedger();
            case LedgerSaid(var reply)
            when leaving.givenBack(reply.view()) ->
                QemuWayBack.granted(leaving, reply.view().epoch());
            case Overdue(var step) -> {
                if (step == Step.SWITCHOVER) {
                    core.hangs(step);
                } else if (step == Step.RECOVER) {
                    leaving.recovery.again();
                }
                yield Behaviors.same();
            }
            case LedgerSaid _, QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    /**
     * What a change of its migration means is known, so QEMU is not asked about it: each question would wait for its main loop, and
     * the next word to it for the answer.
     */
    private Behavior<Command> happened(QmpMessage.Event event, long now) {
        String status = event.data().path("status").asText();
        if (!event.name().equals("MIGRATION")) {
            return core.pollSoon();
        }
        switch (status) {
            case "pre-switchover" -> {
                leaving.reports.stands(status);
                preSwitchover(now);
            }
            case "device" -> leaving.reports.stands(status);
            case "completed" -> {
                if (phase == Phase.EARLY && leaving.started()) {
                    leaving.loaded(now);
                    leaving.ready(now);
                } else if (phase == Phase.LOADING) {
                    leaving.loaded(now);
                }
            }
            default -> {
                return core.poll();
            }
        }
        return core.pollSoon();
    }

    private Behavior<Command> polled(QemuFigures figures) {
        long now = leaving.now();
        leaving.take(figures, now, true);
        if (figures.failed()) {
            return QemuWayBack.failed(leaving, figures);
        }
        stands(figures, now);
        return Behaviors.same();
    }

    private void stands(QemuFigures figures, long now) {
        if (figures.postcopy()) {
            // on both hosts at once: the destination runs as soon as the ledger says so, and fetches the rest from here
            leaving.time.completed(now);
            core.timers.cancel(Step.SWITCHOVER);
            leaving.recovery.look(figures);
        } else if (figures.completed()) {
            if (leaving.completed(figures, now)) {
                leaving.ready(now);
            }
        } else if (figures.preSwitchover()) {
            preSwitchover(now);
        }
    }

    private void preSwitchover(long now) {
        if (phase == Phase.STOPPED) {
            leaving.time.drained(now);
            drained = true;
            goOnUnderTheHandoff(now);
        }
    }

    private void goOnUnderTheHandoff(long now) {
        if (phase == Phase.STOPPED && drained && leaving.hasSurrendered()) {
            phase = Phase.LOADING;
            goOn(now);
        }
    }

    private void goOn(long now) {
        leaving.time.continued(now);
        core.timers.cancel(Step.STOP);
        core.goOn();
    }

    /** What is dirty is fetched after the handoff; where QEMU refuses that, it is sent before. */
    private void startPostcopy() {
        ObjectNode hurry = hurry();
        core.step(
                Step.ADJUST,
                core.parameters(QemuParameters.postcopy(leaving.limits()))
                        .thenCompose(_ -> core.session().call("migrate-start-postcopy"))
                        .handle((_, refused) ->
                                refused == null ? CompletableFuture.completedFuture(null) : core.parameters(hurry))
                        .thenCompose(done -> done));
    }

    private ObjectNode hurry() {
        return QemuParameters.hurry(
                Math.min(leaving.limits().downtimeLimitMs(), core.spec().blackoutBudgetMs()), core.qemu.settings());
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SWITCHOVER, ADJUST -> {
                if (!error.isEmpty()) {
                    core.context.getLog().warn("{}: {}: {}", core.name(), step, error);
                }
                yield core.pollSoon();
            }
            case RECOVER -> {
                leaving.recovery.answered(error);
                yield core.poll();
            }
            case SETUP, CONNECT, STOP, CANCEL, RUN, RELEASE, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when leaving.ours(c.migration()) -> {
                leaving.repeat();
                yield leaving.adjust(c, c.limits(), () -> {});
            }
            case HostCommand.AdjustSave c
            when leaving.ours(c.migration()) && c.epoch() == core.epoch() && !leaving.hasSurrendered() ->
                leaving.adjust(c, c.limits(), () -> {});
            case HostCommand.SwitchOver c
            when leaving.ours(c.migration()) && c.epoch() == core.epoch() && leaving.isReady() -> {
                leaving.surrender();
                goOnUnderTheHandoff(leaving.now());
                yield core.poll();
            }
            case HostCommand.CancelSave c
            when leaving.ours(c.migration()) && leaving.reports.postcopy() ->
                core.refuse(asked, "VM " + core.name() + " is on both hosts at once (postcopy): there is no way back");
            case HostCommand.CancelSave c
            when leaving.ours(c.migration()) && !leaving.hasSurrendered() ->
                QemuWayBack.givenUp(leaving, c.reason(), true);
            case HostCommand.RunVm c
            when leaving.ours(c.migration()) && c.epoch() > core.epoch() -> QemuWayBack.granted(leaving, c.epoch());
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
