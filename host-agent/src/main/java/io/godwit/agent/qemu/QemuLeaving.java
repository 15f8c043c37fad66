package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Tick;
import io.godwit.migration.Limits;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * What the states of one migration away from here share ({@link QemuDeparture}, {@link QemuSwitchover}, {@link QemuWayBack}, {@link
 * QemuReleasing}): what was asked for, what has come of it so far, and what has been said of it. Each fact is set once and
 * stays. Confined to its guest's actor.
 */
final class QemuLeaving {
    private static final String SETTLE = "settle";

    final QemuCore core;
    final HostCommand.BeginSave begin;
    final QemuTimeline time = new QemuTimeline();
    final QemuLearnt.Way way;
    final QemuSaveReports reports;
    final QemuRecovery recovery;
    private SaveLimits limits;
    private boolean setUp;
    private boolean started;
    private boolean stopPending;
    private boolean stopWritten;
    private boolean ready;
    private boolean early;
    private boolean completed;
    private boolean ended;
    private boolean surrendered;
    private @Nullable MigrationReport last;

    QemuLeaving(QemuCore core, HostCommand.BeginSave begin) {
        this.core = core;
        this.begin = begin;
        this.limits = begin.limits();
        this.recovery = QemuRecovery.ofSource(core);
        this.way = new QemuLearnt.Way(
                begin.destination().host(), QemuEmulation.of(core).isPresent());
        this.reports = new QemuSaveReports(core, begin.migration(), time, way);
    }

    String migration() {
        return begin.migration();
    }

    boolean ours(String other) {
        return migration().equals(other);
    }

    long now() {
        return core.host.clock().nanoTime();
    }

    /** The limits in force. */
    SaveLimits limits() {
        return limits;
    }

    /** Why those limits cannot hold for this VM. */
    static Optional<String> problem(QemuCore core, SaveLimits limits) {
        return limits.postcopy() && !core.spec().qemu().orElse(QemuSpec.DEFAULT).postcopy()
                ? Optional.of("postcopy needs the migration capability postcopy-ram, which VM " + core.name()
                        + " has not been given")
                : Limits.problem(limits);
    }

    /** Takes newer limits; {@code changed} runs if they are. */
    Behavior<Command> adjust(HostCommand asked, SaveLimits told, Runnable changed) {
        Optional<String> problem = problem(core, told);
        if (problem.isPresent()) {
            return core.refuse(asked, problem.get());
        }
        if (told.revision() > limits.revision()) {
            limits = told;
            changed.run();
        }
        return Behaviors.same();
    }

    /** QEMU has been told all that it needs to begin: what it says from now on is of this migration. */
    void setUp() {
        setUp = true;
        core.timers.startTimerWithFixedDelay(new Tick(), core.qemu.settings().tick());
    }

    boolean isSetUp() {
        return setUp;
    }

    /** Whether QEMU's word can be acted upon: it is of this migration, and QEMU is there. */
    boolean heeds(@Nullable QemuFigures figures) {
        return figures != null && setUp && core.ended().isEmpty();
    }

    /** QEMU said {@code figures}; {@code standing}: the VM has been told to stop. */
    void take(QemuFigures figures, long now, boolean standing) {
        if (figures.begun() && !started) {
            started = true;
            time.begun(now);
            core.timers.cancel(Step.SETUP);
            say(new MigrationReport.SaveStarted(migration(), core.host.host()));
        }
        reports.take(figures, limits, now, standing);
    }

    /** Whether the first byte has gone out. */
    boolean started() {
        return started;
    }

    /** The vCPUs have been told to stop. */
    void stopping() {
        stopPending = true;
    }

    /** The answer to that is here; {@code stand}: they do, and the run log has it. */
    void stopAnswered(boolean stand) {
        stopPending = false;
        stopWritten |= stand;
    }

    /** Whether the run log may yet get a line that they stand: until then there can be none that they run. */
    boolean isStopPending() {
        return stopPending;
    }

    /** QEMU has stopped the VM itself. */
    void stoppedByQemu() {
        early = true;
        reports.stoppedByQemu();
    }

    boolean isStoppedByQemu() {
        return early;
    }

    /** The coordinator hears that the handoff may be opened. */
    void ready(long now) {
        if (!ready) {
            ready = true;
            core.timers.cancel(Step.STOP);
            say(new MigrationReport.ReadyToSwitchOver(migration(), core.host.host(), reports.stats(now)));
        }
    }

    /** Whether somebody may have opened the handoff. */
    boolean isReady() {
        return ready;
    }

    /**
     * The destination has loaded all of it, by QEMU's word: from here on QEMU wakes it in no case, and the destination's line in its
     * run log may come at any time.
     */
    void loaded(long now) {
        time.completed(now);
        if (!stopWritten) {
            stopWritten = true;
            long held = core.epoch();
            // it stands since before now, whenever the line is written: on busy cores that was after its destination's
            core.host.dataPlane().execute(() -> core.host.runLog().stoppedAt(core.name(), held, now));
        }
    }

    /** QEMU's migration has completed. False when QEMU is to be asked once more whether its run state says so, too. */
    boolean completed(QemuFigures figures, long now) {
        loaded(now);
        core.timers.cancel(Step.SWITCHOVER);
        core.timers.cancel(Step.CANCEL);
        completed = true;
        if (!figures.runState().equals("postmigrate")) {
            // 7.2 says "completed" a moment before its figures and run state are
            core.timers.startSingleTimer(
                    SETTLE, new Tick(), core.qemu.settings().settleInterval());
            return false;
        }
        ended();
        return true;
    }

    boolean isCompleted() {
        return completed;
    }

    /** QEMU's migration is over, however it went. */
    void ended() {
        ended = true;
        core.timers.cancel(new Tick());
    }

    boolean isEnded() {
        return ended;
    }

    /** From here on only the ledger can let it run again. */
    void surrender() {
        if (!surrendered) {
            surrendered = true;
            core.stand(RunState.FINISH_MIGRATE, Optional.of(migration()));
            core.timers.startTimerWithFixedDelay(
                    new QemuVm.AskLedger(), core.host.settings().ledgerPoll());
        }
    }

    /** It stands and could not be made to run again under the grant that it has: it waits for another. */
    void needsGrant() {
        surrendered = true;
    }

    boolean hasSurrendered() {
        return surrendered;
    }

    /** Whether the ledger has given the VM to this host anew. */
    boolean givenBack(OwnershipView view) {
        return view.epoch() > core.epoch() && view.grants(core.host.host());
    }

    void say(MigrationReport report) {
        last = report;
        repeat();
    }

    /** Says the last word again, to whoever has not heard it. */
    void repeat() {
        if (last != null) {
            core.report(last);
        }
    }

    /** Whether it has been said that the migration failed. */
    boolean saidFailed() {
        return last instanceof MigrationReport.SaveFailed;
    }

    private String busy() {
        return "VM " + core.name() + " is leaving with " + migration();
    }

    private String notNow(long theirs) {
        return busy() + (surrendered ? ", has surrendered" : started ? ", still runs" : ", is not set up yet")
                + " under epoch " + core.epoch() + "; asked under " + theirs;
    }

    /** What no state of a departure does, or not now. */
    Behavior<Command> refuse(HostCommand asked) {
        return switch (asked) {
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
}
