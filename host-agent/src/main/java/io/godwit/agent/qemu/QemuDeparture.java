package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A QEMU guest leaves: the VM runs and is copied, until it is stopped.
 *
 * <p>QEMU lets a source run again by itself when a migration fails, even where the destination has loaded all of it and only
 * its last word was lost. So nobody leaves it to QEMU to stop the VM: it goes on copying (its downtime limit is held down)
 * until our prediction fits; then the VM is stopped by {@code stop}, after which QEMU restarts it in no case; the handoff is
 * asked for while QEMU sends the rest; and past pre-switchover, from where on a destination may load the VM, it goes only
 * when the handoff is durable. A guest that dirties next to nothing QEMU stops before anybody can ask: that migration is taken
 * to its end first, and the handoff is asked for then. In both cases no destination can commit before the source is where
 * QEMU cannot wake it.
 *
 * <pre>
 * QemuDeparture:  copying → told to stop
 *     → QemuSwitchover:  stopped by us (the handoff is asked for) → loading under the handoff → completed
 *                        stopped by QEMU (told to go on, still this host's) → completed (the handoff is asked for)
 *                        with postcopy: stopped by us → on both hosts at once, under the handoff
 *     → QemuReleasing (the destination runs it) → QemuClosing
 * any of the first two, cancelled or failed: → QemuWayBack → QemuRunning; one that has surrendered stands there until the ledger says
 * </pre>
 */
final class QemuDeparture {
    private final QemuCore core;
    private final QemuLeaving leaving;
    private final Optional<QemuEmulation> emulation;
    private boolean stopping;
    private boolean stopAnswered;
    private boolean drained;
    /** Set on the thread of QEMU's answer, and read after the step's end only. */
    private volatile boolean ourStop;

    private QemuDeparture(QemuLeaving leaving) {
        this.core = leaving.core;
        this.leaving = leaving;
        this.emulation = QemuEmulation.of(core);
    }

    static Behavior<Command> begin(QemuCore core, HostCommand.BeginSave begin) {
        Optional<String> problem = QemuLeaving.problem(core, begin.limits());
        if (problem.isPresent()) {
            return core.refuse(begin, problem.get());
        }
        core.timers.cancelAll();
        core.stand(core.paused() ? RunState.PAUSED : RunState.RUNNING, Optional.of(begin.migration()));
        QemuDeparture departure = new QemuDeparture(new QemuLeaving(core, begin));
        core.step(Step.SETUP, departure.setUp());
        core.timers.startSingleTimer(
                Step.SETUP, new Overdue(Step.SETUP), core.qemu.settings().setupTimeout());
        long deadline = begin.options().precopyDeadlineMs();
        core.timers.startSingleTimer(
                Step.STOP,
                new Overdue(Step.STOP),
                deadline > 0
                        ? Duration.ofMillis(deadline)
                        : core.host.settings().precopyTimeout());
        return departure.copying();
    }

    private CompletionStage<?> setUp() {
        QmpSession session = core.session();
        String uri = QemuArrival.uri(leaving.begin.destination());
        core.migrationUri(Optional.of(uri));
        ObjectNode to = QmpSession.arguments().put("uri", uri);
        CompletionStage<JsonNode> told = prepare(core, leaving.limits())
                .thenCompose(_ -> core.fitToBeSent())
                .thenCompose(_ -> session.call("migrate", to));
        // durable long before there can be a handoff; an agent that dies earlier finds a VM of its own that migrates,
        // and ends that
        CompletionStage<Void> written =
                core.save(QemuManifest.Role.LEAVING, core.epoch(), Optional.of(leaving.migration()));
        return told.thenCompose(_ -> written);
    }

    /**
     * QEMU has what it needs to be copied under those limits, when the stage completes. Said to a guest that only runs, too: then
     * there is less to say when it is to leave, and its destination listens already.
     */
    static CompletionStage<?> prepare(QemuCore core, SaveLimits limits) {
        return core.capabilities(List.of("pause-before-switchover", "auto-converge"))
                .thenCompose(_ -> core.parameters(parameters(core, limits)));
    }

    /** The parameters of a VM that is copied while it runs: it is held from switching over. */
    private static ObjectNode parameters(QemuCore core, SaveLimits limits) {
        QemuSettings settings = core.qemu.settings();
        return QemuParameters.of(
                QemuEmulation.of(core).map(held -> held.held(limits)).orElse(limits),
                settings.holdDowntime().toMillis(),
                settings);
    }

    private Behavior<Command> copying() {
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
            case LedgerSaid(var reply)
            when leaving.givenBack(reply.view()) ->
                QemuWayBack.granted(leaving, reply.view().epoch());
            case Overdue(var step) -> overdue(step);
            case LedgerSaid _, QemuVm.AskLedger _, QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ ->
                Behaviors.same();
        });
    }

    private Behavior<Command> happened(QmpMessage.Event event, long now) {
        String status = event.data().path("status").asText();
        if (event.name().equals("STOP")) {
            leaving.time.stopping(now);
        } else if (event.name().equals("MIGRATION") && status.equals("setup")) {
            leaving.reports.begins();
        } else if (event.name().equals("MIGRATION") && status.equals("active")) {
            core.hurry();
        } else if (event.name().equals("MIGRATION") && leaving.isSetUp() && status.equals("pre-switchover")) {
            leaving.reports.stands("pre-switchover");
            return preSwitchover(now);
        }
        return event.name().equals("MIGRATION_PASS") || event.name().equals("STOP") ? core.pollSoon() : core.poll();
    }

    private Behavior<Command> polled(QemuFigures figures) {
        long now = leaving.now();
        if (!stopping && figures.running()) {
            // its operator let it run again just before
            core.paused(false);
        }
        leaving.take(figures, now, stopping);
        if (figures.failed()) {
            return QemuWayBack.failed(leaving, figures);
        }
        if (figures.completed() || figures.postcopy()) {
            // it is past the switchover already, and nobody here has told it to go there
            return QemuSwitchover.found(leaving, figures);
        }
        if (figures.preSwitchover()) {
            return preSwitchover(now);
        }
        return !stopping && figures.active() ? stopIfItFits(figures, now) : Behaviors.same();
    }

    private Behavior<Command> stopIfItFits(QemuFigures figures, long now) {
        if (emulation.isPresent()) {
            Optional<String> problem = emulation.get().problem(figures, leaving.limits());
            if (problem.isPresent()) {
                return QemuWayBack.givenUp(leaving, problem.get(), false);
            }
        } else if (!leaving.reports.fits(leaving.limits(), core.spec())) {
            return Behaviors.same();
        }
        stopping = true;
        leaving.stopping();
        leaving.time.stopping(now);
        core.step(Step.STOP, core.stop().thenAccept(state -> ourStop = state.equals("paused")));
        return Behaviors.same();
    }

    /** Who has stopped it: QEMU, unless we have told it to, and then the answer to that tells. */
    private Behavior<Command> preSwitchover(long now) {
        if (stopping && !stopAnswered) {
            drained = true;
            return Behaviors.same();
        }
        return QemuSwitchover.stoppedByQemu(leaving, now);
    }

    private Behavior<Command> stopAnswered(String error) {
        leaving.stopAnswered(error.isEmpty());
        if (!error.isEmpty()) {
            return QemuWayBack.givenUp(leaving, "the VM could not be stopped: " + error, false);
        }
        stopAnswered = true;
        long now = leaving.now();
        if (ourStop) {
            // QEMU says that it stands by our word: it has stopped nothing itself, and lets it run again in no case
            return QemuSwitchover.stopped(leaving, drained, now);
        }
        return drained ? QemuSwitchover.stoppedByQemu(leaving, now) : Behaviors.same();
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SETUP -> {
                if (!error.isEmpty()) {
                    yield QemuWayBack.notBegun(leaving, error);
                }
                leaving.setUp();
                yield core.poll();
            }
            case STOP -> {
                core.poll();
                yield stopAnswered(error);
            }
            case ADJUST -> {
                if (!error.isEmpty()) {
                    core.context.getLog().warn("{}: {}: {}", core.name(), step, error);
                }
                yield core.poll();
            }
            case CONNECT, SWITCHOVER, CANCEL, RUN, RECOVER, RELEASE, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> overdue(Step step) {
        return switch (step) {
            case SETUP ->
                QemuWayBack.givenUp(
                        leaving,
                        "nothing went out within "
                                + core.qemu.settings().setupTimeout().toMillis() + " ms",
                        false);
            case STOP ->
                stopping
                        ? Behaviors.same()
                        : QemuWayBack.givenUp(
                                leaving,
                                "pre-copy did not come under its limit in time: " + leaving.reports.inWords(),
                                false);
            case CONNECT, SWITCHOVER, CANCEL, RUN, ADJUST, RECOVER, RELEASE, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when leaving.ours(c.migration()) -> {
                leaving.repeat();
                yield leaving.adjust(c, c.limits(), this::adjust);
            }
            case HostCommand.AdjustSave c
            when leaving.ours(c.migration()) && c.epoch() == core.epoch() ->
                leaving.adjust(c, c.limits(), this::adjust);
            case HostCommand.CancelSave c
            when leaving.ours(c.migration()) -> QemuWayBack.givenUp(leaving, c.reason(), true);
            case HostCommand.RunVm c
            when leaving.ours(c.migration()) && c.epoch() > core.epoch() -> QemuWayBack.granted(leaving, c.epoch());
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

    private void adjust() {
        if (leaving.isSetUp() && !stopping) {
            core.step(Step.ADJUST, core.parameters(parameters(core, leaving.limits())));
        }
    }
}
