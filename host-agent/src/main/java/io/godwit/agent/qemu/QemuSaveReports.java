package io.godwit.agent.qemu;

import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What is said of a migration while QEMU carries it out: its figures as progress, state triples and statistics. */
final class QemuSaveReports {
    private final QemuCore core;
    private final String migration;
    private final QemuTimeline time;
    private final QemuForecast forecast;
    private final List<StateTriple> trail = new ArrayList<>();
    private @Nullable QemuFigures latest;
    private long predictedAtStop;
    private long expectedAtStop = -1;
    private long sentAtStop;
    private long leftAtStop;
    private boolean stands;

    /** {@code way}: what its standstill will have in common with those before. */
    QemuSaveReports(QemuCore core, String migration, QemuTimeline time, QemuLearnt.Way way) {
        this.core = core;
        this.migration = migration;
        this.time = time;
        QemuLearnt.Costs learnt =
                core.qemu.learnt().costs(way, core.qemu.settings().fixedDowntime());
        // held back until it stands, so its own bandwidth says nothing
        this.forecast = new QemuForecast(
                way.emulated() && learnt.bandwidth() == 0
                        ? learnt.at(core.qemu.settings().tcgBandwidth())
                        : learnt);
    }

    /** QEMU said {@code figures}; {@code standing}: the VM has been told to stop, and every prediction is of the past. */
    void take(QemuFigures figures, SaveLimits limits, long now, boolean standing) {
        // in its last states QEMU has nothing to say of what was left, and keeps quiet of its rates
        if (!figures.ended()) {
            forecast.take(figures, now);
        }
        latest = figures;
        if (!standing && !figures.switchingOver()) {
            predictedAtStop = forecast.predictedMicros();
            expectedAtStop = expectedMicros(figures);
            sentAtStop = figures.transferredBytes();
            leftAtStop = forecast.leftBytes();
        }
        RunState state = figures.fleetRunState();
        // asked before it went on, answered after that
        StateTriple triple = standing && stands && figures.active()
                ? trail.getLast()
                : went(state == RunState.PAUSED ? RunState.FINISH_MIGRATE : state, figures.fleetStatus());
        core.host
                .reports()
                .tell(new SaveProgress(
                        migration,
                        core.host.host(),
                        new Progress(
                                triple,
                                stats(now),
                                forecast.leftBytes(),
                                forecast.dirtyRate(),
                                0,
                                0,
                                0,
                                0,
                                forecast.predictedMicros(),
                                forecast.floorMicros(),
                                forecast.trustworthy(),
                                Math.max(0, figures.syncs() - 1),
                                forecast.floorMicros(),
                                true,
                                limits,
                                expectedMicros(figures))));
    }

    /** QEMU says that it looks for the destination: a moment later it copies, and would be asked too late. */
    void begins() {
        went(core.paused() ? RunState.FINISH_MIGRATE : RunState.RUNNING, MigrationStatus.SETUP);
    }

    /** QEMU says that the migration is in that last status of a VM that stands still. */
    void stands(String status) {
        stands = true;
        went(RunState.FINISH_MIGRATE, QemuFigures.fleetStatus(status));
    }

    private StateTriple went(RunState state, MigrationStatus status) {
        StateTriple triple = new StateTriple(state.name(), status.name(), "-");
        if (trail.size() < core.host.settings().statesMax()
                && (trail.isEmpty() || !trail.getLast().equals(triple))) {
            trail.add(triple);
        }
        return triple;
    }

    private static long expectedMicros(QemuFigures figures) {
        return figures.expectedDowntimeMs() < 0 ? -1 : TimeUnit.MILLISECONDS.toMicros(figures.expectedDowntimeMs());
    }

    /** QEMU has stopped the VM, as it does when next to nothing is left: what was promised is the standstill of that. */
    void stoppedByQemu() {
        predictedAtStop = forecast.earlyMicros();
    }

    /** Whether the VM may be stopped now: the standstill keeps to its limit, or is to be taken as it comes. */
    boolean fits(SaveLimits limits, VmSpec spec) {
        long limitMs = Math.min(limits.downtimeLimitMs(), spec.blackoutBudgetMs());
        return limits.stopAndCopy()
                || limits.postcopy()
                || (forecast.trustworthy() && forecast.predictedMicros() <= TimeUnit.MILLISECONDS.toMicros(limitMs));
    }

    /** Whether the VM's state is on both hosts at once. */
    boolean postcopy() {
        return latest != null && latest.postcopy();
    }

    /** Whether it is, and nothing can be fetched from here at the moment. */
    boolean postcopyBroken() {
        return postcopy() && !latest().status().equals("postcopy-active");
    }

    /** What QEMU said last. */
    QemuFigures latest() {
        if (latest == null) {
            throw new IllegalStateException("QEMU has said nothing yet");
        }
        return latest;
    }

    /** RAM that was left when the VM was told to stop, as it was counted for what was promised. */
    long leftAtStopBytes() {
        return leftAtStop;
    }

    /** Written to the stream since the VM was told to stop. */
    long standingBytes() {
        return latest == null ? 0 : Math.max(0, latest.transferredBytes() - sentAtStop);
    }

    /** State triples so far, in order. */
    List<StateTriple> trail() {
        return List.copyOf(trail);
    }

    SaveStats stats(long now) {
        QemuFigures figures = latest;
        if (figures == null) {
            return SaveStats.NONE;
        }
        return new SaveStats(
                figures.totalBytes(),
                figures.transferredBytes(),
                figures.pageBytesSent(),
                figures.deviceBytes(),
                0,
                figures.syncs(),
                time.precopyMillis(now),
                forecast.bandwidth(),
                predictedAtStop,
                expectedAtStop);
    }

    /** The figures that decide, for a reason that a person reads. */
    String inWords() {
        return String.format(
                Locale.ROOT,
                "%d bytes left after %d looks at the dirty bitmap, %d bytes/s sent, %d bytes/s dirtied",
                forecast.leftBytes(),
                latest == null ? 0 : latest.syncs(),
                forecast.bandwidth(),
                forecast.dirtyRate());
    }
}
