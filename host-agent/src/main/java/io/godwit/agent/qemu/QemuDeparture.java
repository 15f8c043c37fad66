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
import io.godwit.migration.Limits;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One migration of a QEMU guest away from here.
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
 * COPYING → STOPPING → STOPPED (stopped by us: the handoff is asked for) → LOADING (handed off, told to go on) → completed
 *    |          |
 *    +----------+→ EARLY (stopped by QEMU: told to go on, still this host's) → completed (the handoff is asked for)
 * STOPPED with postcopy: → LOADING → on both hosts (kept until all of its memory has been fetched) → completed
 * any, failed or cancelled: → QemuRunning, when still this host's; else it stands until the ledger says
 * any, released: → QemuClosing
 * </pre>
 */
final class QemuDeparture {
    private enum Phase {
        /** The VM runs and is being copied. */
        COPYING,
        /** It has been told to stop. */
        STOPPING,
        /** It stands by our own word. */
        STOPPED,
        /** It stands by QEMU's decision, and goes to the destination without a handoff. */
        EARLY,
        /** It goes to the destination under the handoff. */
        LOADING
    }

    private static final String SETTLE = "settle";

    private final QemuCore core;
    private final String migration;
    private final HostCommand.BeginSave begin;
    private final QemuSaveReports reports;
    private final QemuTimeline time = new QemuTimeline();
    private final QemuRecovery recovery;
    private final Optional<QemuEmulation> emulation;
    private SaveLimits limits;
    private Phase phase = Phase.COPYING;
    private boolean setUp;
    private boolean stopDone;
    /** Set on the thread of QEMU's answer, and read after the step's end only. */
    private volatile boolean ourStop;

    private boolean started;
    private boolean ready;
    private boolean drained;
    private boolean completed;
    private boolean surrendered;
    private boolean ended;
    private boolean running;
    private long granted;
    private @Nullable Downtime letGo;
    private @Nullable String givenUp;
    private boolean cancelled;
    private @Nullable MigrationReport last;

    private QemuDeparture(QemuCore core, HostCommand.BeginSave begin) {
        this.core = core;
        this.begin = begin;
        this.migration = begin.migration();
        this.limits = begin.limits();
        this.recovery = QemuRecovery.ofSource(core);
        this.emulation = QemuEmulation.of(core);
        this.reports =
                new QemuSaveReports(core, migration, time, begin.destination().host());
    }

    static Behavior<Command> begin(QemuCore core, HostCommand.BeginSave begin) {
        Optional<String> problem = problem(core, begin.limits());
        if (problem.isPresent()) {
            return core.refuse(begin, problem.get());
        }
        core.timers.cancelAll();
        core.stand(core.paused() ? RunState.PAUSED : RunState.RUNNING, Optional.of(begin.migration()));
        QemuDeparture departure = new QemuDeparture(core, begin);
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
        return departure.leaving();
    }

    private static Optional<String> problem(QemuCore core, SaveLimits limits) {
        return limits.postcopy() && !core.spec().qemu().orElse(QemuSpec.DEFAULT).postcopy()
                ? Optional.of("postcopy needs the migration capability postcopy-ram, which VM " + core.name()
                        + " has not been given")
                : Limits.problem(limits);
    }

    private CompletionStage<?> setUp() {
        QmpSession session = core.session();
        String uri = QemuArrival.uri(begin.destination());
        core.migrationUri(Optional.of(uri));
        ObjectNode to = QmpSession.arguments().put("uri", uri);
        ObjectNode parameters = copying();
        // durable long before there can be a handoff; an agent that dies earlier finds a VM of its own that migrates,
        // and ends that
        CompletionStage<Void> written = core.save(QemuManifest.Role.LEAVING, core.epoch(), Optional.of(migration));
        return core.capabilities(List.of("pause-before-switchover", "auto-converge"))
                .thenCompose(_ -> core.fitToBeSent())
                .thenCompose(_ -> session.call("migrate-set-parameters", parameters))
                .thenCompose(_ -> session.call("migrate", to))
                .thenCompose(_ -> written);
    }

    private Behavior<Command> leaving() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Heard(var event) -> heard(event);
            case Polled(var figures, var _) -> {
                core.polled();
                yield figures == null || core.ended().isPresent() ? Behaviors.same() : polled(figures);
            }
            case Stepped(var step, var error) -> stepped(step, error);
            case Exited(var how) -> exited(how);
            case Tick() -> core.ended().isPresent() ? Behaviors.same() : core.poll();
            case AskLedger() -> core.askLedger();
            case LedgerSaid(var reply) -> ledgerSaid(reply.view());
            case Overdue(var step) -> overdue(step);
            case QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> heard(QmpMonitor.Event event) {
        return switch (event) {
            case QmpMonitor.Happened(var happened) -> {
                happened(happened, core.host.clock().nanoTime());
                yield core.poll();
            }
            case QmpMonitor.Connected _ -> core.poll();
            case QmpMonitor.Disconnected _ -> Behaviors.same();
        };
    }

    /** While the VM stands still, QEMU's word is acted upon before it has been asked how it stands. */
    private void happened(QmpMessage.Event event, long now) {
        String status = event.data().path("status").asText();
        if (event.name().equals("STOP")) {
            time.stopping(now);
        } else if (event.name().equals("MIGRATION") && setUp && granted == 0 && givenUp == null) {
            if (status.equals("pre-switchover")) {
                preSwitchover(now);
            } else if (status.equals("completed") && phase == Phase.EARLY && started) {
                // from here on QEMU wakes it in no case
                time.completed(now);
                readyToSwitchOver(now);
            } else if (status.equals("completed") && phase == Phase.LOADING) {
                time.completed(now);
            }
        }
    }

    private Behavior<Command> polled(QemuFigures figures) {
        if (!setUp) {
            // what QEMU says is of the migration before this one
            return Behaviors.same();
        }
        long now = core.host.clock().nanoTime();
        if (figures.begun() && !started) {
            started = true;
            time.begun(now);
            core.timers.cancel(Step.SETUP);
            say(new MigrationReport.SaveStarted(migration, core.host.host()));
        }
        if (phase == Phase.COPYING && figures.running()) {
            // its operator let it run again just before
            core.paused(false);
        }
        reports.take(figures, limits, now, phase != Phase.COPYING);
        if (figures.postcopy()) {
            return postcopy(figures, now);
        }
        if (figures.failed()) {
            return failed(figures);
        }
        if (figures.completed()) {
            return completed(figures, now);
        }
        if (granted > 0 || givenUp != null) {
            return Behaviors.same();
        }
        if (figures.preSwitchover()) {
            return preSwitchover(now);
        }
        if (phase == Phase.COPYING && figures.active() && mayStop(figures)) {
            phase = Phase.STOPPING;
            time.stopping(now);
            core.step(Step.STOP, core.stop().thenAccept(state -> ourStop = state.equals("paused")));
        }
        return Behaviors.same();
    }

    private void stopAnswered(String error) {
        long now = core.host.clock().nanoTime();
        if (!stopDone) {
            giveUp("the VM could not be stopped: " + error, false);
        } else if (ourStop) {
            stopped(now);
        } else if (drained) {
            early(now);
        }
    }

    /** QEMU says that it stands by our word: it has stopped nothing itself, and lets it run again in no case. */
    private void stopped(long now) {
        phase = Phase.STOPPED;
        time.stopped(now);
        if (drained) {
            time.drained(now);
        } else {
            if (limits.postcopy()) {
                startPostcopy();
            } else {
                adjust();
            }
        }
        readyToSwitchOver(now);
    }

    private boolean mayStop(QemuFigures figures) {
        if (emulation.isEmpty()) {
            return reports.fits(limits, core.spec());
        }
        Optional<String> problem = emulation.get().problem(figures, limits);
        problem.ifPresent(why -> giveUp(why, false));
        return problem.isEmpty();
    }

    /** The parameters of a VM that is copied while it runs: it is held from switching over. */
    private ObjectNode copying() {
        QemuSettings settings = core.qemu.settings();
        return QemuParameters.of(
                emulation.map(held -> held.held(limits)).orElse(limits),
                settings.holdDowntime().toMillis(),
                settings);
    }

    /** What is dirty is fetched after the handoff; where QEMU refuses that, it is sent before. */
    private void startPostcopy() {
        QmpSession session = core.session();
        QemuSettings settings = core.qemu.settings();
        ObjectNode hurry = QemuParameters.hurry(
                Math.min(limits.downtimeLimitMs(), core.spec().blackoutBudgetMs()), settings);
        core.step(
                Step.ADJUST,
                session.call("migrate-set-parameters", QemuParameters.postcopy(limits))
                        .thenCompose(_ -> session.call("migrate-start-postcopy"))
                        .exceptionallyCompose(_ -> session.call("migrate-set-parameters", hurry)));
    }

    /** The VM is on both hosts at once: its destination runs as soon as the ledger says so, and fetches the rest from here. */
    private Behavior<Command> postcopy(QemuFigures figures, long now) {
        time.completed(now);
        core.timers.cancel(Step.SWITCHOVER);
        if (granted > 0 && figures.status().equals("postcopy-active")) {
            // the destination never ran and never will, so what is here is all of the VM
            return grant(granted);
        }
        recovery.look(figures);
        return Behaviors.same();
    }

    private Behavior<Command> preSwitchover(long now) {
        switch (phase) {
            case STOPPED -> {
                time.drained(now);
                drained = true;
                goOnUnderTheHandoff();
            }
            // who has stopped it, the answer to our word tells
            case STOPPING -> {
                drained = true;
                if (stopDone) {
                    early(now);
                }
            }
            case COPYING -> early(now);
            case EARLY, LOADING -> {}
        }
        return Behaviors.same();
    }

    /** QEMU believes that it has stopped the VM itself, and lets it run after a failure. */
    private void early(long now) {
        phase = Phase.EARLY;
        reports.stoppedByQemu();
        time.drained(now);
        goOn(now);
    }

    private void goOnUnderTheHandoff() {
        if (phase == Phase.STOPPED && drained && surrendered) {
            phase = Phase.LOADING;
            goOn(core.host.clock().nanoTime());
        }
    }

    private void goOn(long now) {
        time.continued(now);
        core.timers.cancel(Step.STOP);
        core.goOn();
    }

    private void readyToSwitchOver(long now) {
        if (!ready) {
            ready = true;
            core.timers.cancel(Step.STOP);
            say(new MigrationReport.ReadyToSwitchOver(migration, core.host.host(), reports.stats(now)));
        }
    }

    private Behavior<Command> completed(QemuFigures figures, long now) {
        time.completed(now);
        core.timers.cancel(Step.SWITCHOVER);
        core.timers.cancel(Step.CANCEL);
        completed = true;
        if (!stopDone) {
            stopDone = true;
            long held = core.epoch();
            // it stands since before now, whenever the line is written: on busy cores that was after its destination's
            core.host.dataPlane().execute(() -> core.host.runLog().stoppedAt(core.name(), held, now));
        }
        if (!figures.runState().equals("postmigrate")) {
            // 7.2 says "completed" a moment before its figures and run state are
            core.timers.startSingleTimer(
                    SETTLE, new Tick(), core.qemu.settings().settleInterval());
            return Behaviors.same();
        }
        ended = true;
        core.timers.cancel(new Tick());
        if (letGo != null) {
            return release(-1);
        }
        if (granted > 0) {
            return runAgain(granted);
        }
        if (givenUp != null && !surrendered) {
            // the word to give up came too late for QEMU, not for the ledger: nobody asked it for a handoff, or it must
            // tell
            return ready ? core.askLedger() : runAgain(core.epoch());
        }
        readyToSwitchOver(now);
        return Behaviors.same();
    }

    private Behavior<Command> failed(QemuFigures figures) {
        core.timers.cancel(Step.SETUP);
        core.timers.cancel(Step.STOP);
        core.timers.cancel(Step.SWITCHOVER);
        core.timers.cancel(Step.CANCEL);
        if (givenUp == null) {
            givenUp = "QEMU's migration " + figures.status()
                    + figures.error().map(error -> ": " + error).orElse("");
        }
        ended = true;
        core.timers.cancel(new Tick());
        if (granted > 0) {
            return runAgain(granted);
        }
        if (!surrendered) {
            return runAgain(core.epoch());
        }
        if (figures.running()) {
            core.context.getLog().error("{}: QEMU runs a VM that has been handed off; stopping it", core.name());
            core.step(Step.STOP, core.stop());
        }
        sayFailed(true);
        return Behaviors.same();
    }

    /** The migration has ended here and the VM is this host's, under {@code epoch}. */
    private Behavior<Command> runAgain(long epoch) {
        if (!running) {
            running = true;
            core.step(Step.RUN, core.run(epoch));
        }
        return Behaviors.same();
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SETUP -> {
                if (!error.isEmpty()) {
                    core.timers.cancel(Step.SETUP);
                    givenUp = error;
                    // without an answer nobody knows whether it began
                    core.step(Step.CANCEL, core.session().call("migrate_cancel"));
                    yield runAgain(core.epoch());
                }
                setUp = true;
                if (givenUp != null) {
                    core.cancelMigration();
                }
                core.timers.startTimerWithFixedDelay(
                        new Tick(), core.qemu.settings().tick());
                yield core.poll();
            }
            case STOP -> {
                stopDone = error.isEmpty();
                if (phase == Phase.STOPPING && givenUp == null && granted == 0) {
                    stopAnswered(error);
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
                recovery.answered(error);
                yield core.poll();
            }
            case CONNECT, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> ran(String error) {
        if (!error.isEmpty()) {
            String why = "it did not run again: " + error;
            core.standFailed(why, Optional.of(migration));
            return granted > 0 ? core.refuse(migration, "RunVm", why) : stuck(why);
        }
        time.runsAgain();
        if (granted > 0) {
            return core.runs(migration, granted, reports.trail(), -1);
        }
        sayFailed(false);
        return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
    }

    /** It stands, and is this host's: the coordinator hears that it needs a grant, and QEMU is asked again with that. */
    private Behavior<Command> stuck(String why) {
        givenUp = (givenUp == null ? "" : givenUp + "; ") + why;
        surrendered = true;
        sayFailed(true);
        return Behaviors.same();
    }

    private void sayFailed(boolean standing) {
        if (!(last instanceof MigrationReport.SaveFailed)) {
            say(new MigrationReport.SaveFailed(
                    migration, core.host.host(), givenUp == null ? "" : givenUp, cancelled, standing, reports.trail()));
        }
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when ours(c.migration()) -> {
                repeat();
                yield adjust(c, c.limits());
            }
            case HostCommand.AdjustSave c
            when ours(c.migration()) && c.epoch() == core.epoch() && !surrendered -> adjust(c, c.limits());
            case HostCommand.SwitchOver c
            when ours(c.migration()) && c.epoch() == core.epoch() && ready && givenUp == null -> {
                surrender();
                goOnUnderTheHandoff();
                yield core.poll();
            }
            case HostCommand.CancelSave c
            when ours(c.migration()) && reports.postcopy() ->
                core.refuse(asked, "VM " + core.name() + " is on both hosts at once (postcopy): there is no way back");
            case HostCommand.CancelSave c
            when ours(c.migration()) && !surrendered -> {
                giveUp(c.reason(), true);
                yield completed && ended && ready ? core.askLedger() : Behaviors.same();
            }
            case HostCommand.RunVm c when ours(c.migration()) && c.epoch() > core.epoch() -> grant(c.epoch());
            case HostCommand.ReleaseSource c
            when ours(c.migration()) && c.epoch() > core.epoch() && surrendered -> release(c.standingMicros());
            case HostCommand.DescribeVm c -> core.describe(c);
            case HostCommand.SwitchOver c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.CancelSave _ -> core.refuse(asked, notNow(core.epoch()));
            case HostCommand.RunVm c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.ReleaseSource c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.AdjustSave c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.CheckVm _,
                    HostCommand.BeginSave _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _ -> core.refuse(asked, busy());
        };
    }

    private Behavior<Command> adjust(HostCommand asked, SaveLimits told) {
        Optional<String> problem = problem(core, told);
        if (problem.isPresent()) {
            return core.refuse(asked, problem.get());
        }
        if (told.revision() > limits.revision()) {
            limits = told;
            if (setUp && phase == Phase.COPYING) {
                adjust();
            }
        }
        return Behaviors.same();
    }

    /** Tells QEMU the limits in force: while the VM runs it is held from switching over, afterwards it is to hurry. */
    private void adjust() {
        QemuSettings settings = core.qemu.settings();
        ObjectNode parameters = phase == Phase.COPYING
                ? copying()
                : QemuParameters.hurry(
                        Math.min(limits.downtimeLimitMs(), core.spec().blackoutBudgetMs()), settings);
        core.step(Step.ADJUST, core.session().call("migrate-set-parameters", parameters));
    }

    private void surrender() {
        if (!surrendered) {
            surrendered = true;
            core.stand(RunState.FINISH_MIGRATE, Optional.of(migration));
            core.timers.startTimerWithFixedDelay(
                    new AskLedger(), core.host.settings().ledgerPoll());
        }
    }

    private Behavior<Command> ledgerSaid(OwnershipView view) {
        if (view.epoch() > core.epoch() && view.grants(core.host.host())) {
            return grant(view.epoch());
        }
        boolean open = view.handoff().isPresent();
        if (!surrendered && ended && completed && givenUp != null) {
            if (view.epoch() == core.epoch() && view.grants(core.host.host()) && !open) {
                return runAgain(core.epoch());
            }
            // handed off after all: it stands until the ledger says more
            surrender();
        }
        return Behaviors.same();
    }

    /** The ledger gave the VM back: no destination can ever commit, so the migration may be ended from any state. */
    private Behavior<Command> grant(long epoch) {
        if (core.ended().isPresent()) {
            return core.refuse(migration, "RunVm", core.ended().get());
        }
        granted = epoch;
        if (ended) {
            return runAgain(epoch);
        }
        if (reports.postcopyBroken()) {
            // QEMU 7.2 would be cancelling for ever
            String why =
                    "its postcopy broke off before the destination ran, and QEMU takes a VM back only from a postcopy"
                            + " whose link works";
            core.standFailed(why, Optional.of(migration));
            return core.refuse(migration, "RunVm", why);
        }
        core.cancelMigration();
        return core.poll();
    }

    private void giveUp(String reason, boolean asked) {
        if (givenUp == null) {
            givenUp = reason;
            cancelled = asked;
            if (setUp && !ended) {
                core.cancelMigration();
            }
        }
    }

    private Behavior<Command> overdue(Step step) {
        switch (step) {
            case SETUP ->
                giveUp(
                        "nothing went out within "
                                + core.qemu.settings().setupTimeout().toMillis() + " ms",
                        false);
            case STOP -> {
                if (phase == Phase.COPYING) {
                    giveUp("pre-copy did not come under its limit in time: " + reports.inWords(), false);
                }
            }
            case SWITCHOVER, CANCEL -> core.hangs(step);
            case RECOVER -> recovery.again();
            case CONNECT, RUN, ADJUST, CONTACT -> {}
        }
        return Behaviors.same();
    }

    private Behavior<Command> exited(String how) {
        core.host.runLog().stopped(core.name(), core.epoch());
        core.ended(how);
        core.timers.cancel(new Tick());
        givenUp = "QEMU " + how;
        if (surrendered) {
            // the destination may have all of it
            core.stand(RunState.INTERNAL_ERROR, Optional.of(migration));
            sayFailed(true);
            return Behaviors.same();
        }
        sayFailed(false);
        return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
    }

    private Behavior<Command> release(long standingMicros) {
        long now = core.host.clock().nanoTime();
        if (letGo == null) {
            letGo = time.downtime(now, standingMicros);
            learn(letGo.totalMicros());
        }
        if (reports.postcopy() && core.ended().isEmpty()) {
            // it runs at the destination, and the rest of its memory is still here
            return Behaviors.same();
        }
        MigrationReport released = new MigrationReport.SourceReleased(
                migration, core.host.host(), reports.stats(now), letGo, reports.trail(), List.of());
        return QemuClosing.quit(core, Optional.of(released), () -> core.report(released));
    }

    private void learn(long totalMicros) {
        long predicted = reports.stats(core.host.clock().nanoTime()).predictedDowntimeMicros();
        core.context
                .getLog()
                .info(
                        "{}: stood still for {} us, predicted {} us, {} bytes sent meanwhile",
                        core.name(),
                        totalMicros,
                        predicted,
                        reports.standingBytes());
        if (totalMicros > 0 && !reports.postcopy()) {
            core.qemu
                    .learnt()
                    .learn(
                            begin.destination().host(),
                            new QemuLearnt.Standstill(
                                    phase == Phase.EARLY, totalMicros, reports.standingBytes(), time.drainMicros()),
                            core.host.settings().learntFixedMax());
        }
    }

    private void say(MigrationReport report) {
        last = report;
        repeat();
    }

    private void repeat() {
        if (last != null) {
            core.report(last);
        }
    }

    private boolean ours(String other) {
        return migration.equals(other);
    }

    private String busy() {
        return "VM " + core.name() + " is leaving with " + migration;
    }

    private String notNow(long theirs) {
        return busy() + (surrendered ? ", has surrendered" : started ? ", still runs" : ", is not set up yet")
                + " under epoch " + core.epoch() + "; asked under " + theirs;
    }
}
