package io.godwit.cli;

import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.units.Units;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Migrations as text for people. */
final class MigrationText {
    private MigrationText() {}

    /** A migration for people. */
    static String describe(MigrationView view) {
        Table facts = new Table("MIGRATION", view.id());
        facts.row("vm", view.vm())
                .row("from", view.from())
                .row("to", view.to())
                .row("driver", view.driver())
                .row(
                        "phase",
                        view.phase() + view.reason().map(why -> ": " + why).orElse(""))
                .row("epoch", String.valueOf(view.epoch()))
                .row(
                        "sent",
                        Units.size(view.stats().transferredBytes()) + " for "
                                + Units.size(view.stats().ramBytes()) + " of RAM, in "
                                + view.stats().iterations() + " iterations")
                .row("dirtied meanwhile", view.stats().dirtiedPages() + " pages")
                .row("left", Units.size(view.remainingBytes()))
                .row("limits", limits(view.limits()));
        view.progress().ifPresent(progress -> outlook(facts, progress));
        facts.row("predicted downtime", predicted(view.stats()))
                .row("downtime", downtime(view) + parts(view.downtime()))
                .row("verified", view.verified() ? "yes: equal digests" : "no")
                .row("states", triples(view));
        return facts.render() + (view.steps().isEmpty() ? "" : "\n" + steps(view.steps()));
    }

    private static String predicted(SaveStats stats) {
        String ours = Units.millisOf(stats.predictedDowntimeMicros());
        return stats.hypervisorDowntimeMicros() < 0
                ? ours
                : ours + "; the hypervisor expected " + Units.millisOf(stats.hypervisorDowntimeMicros());
    }

    /** Limits in force, as one line. */
    static String limits(SaveLimits limits) {
        return "downtime " + limits.downtimeLimitMs() + " ms" + ceiling(limits) + ", bandwidth "
                + (limits.bandwidthBytesPerSecond() == 0
                        ? "unlimited"
                        : Units.size(limits.bandwidthBytesPerSecond()) + "/s")
                + (limits.throttlePercent() > 0 ? ", vCPUs held back " + limits.throttlePercent() + " %" : "")
                + (limits.stopAndCopy() ? ", stop and copy" : "")
                + (limits.postcopy() ? ", postcopy" : "");
    }

    private static String ceiling(SaveLimits limits) {
        if (limits.downtimeCeilingMs() <= limits.downtimeLimitMs()) {
            return "";
        }
        return limits.downtimeCeilingMs() == Long.MAX_VALUE
                ? " (the last step may exceed it)"
                : " (may rise to " + limits.downtimeCeilingMs() + " ms)";
    }

    /** What a migration that runs has ahead of it. */
    private static void outlook(Table facts, Progress now) {
        facts.row(
                        "outlook",
                        standstill(now.predictedDowntimeMicros()) + " predicted, at least "
                                + standstill(now.floorDowntimeMicros()) + ", of which "
                                + Units.millisOf(now.fixedDowntimeMicros()) + " are no bytes"
                                + (now.trustworthy()
                                        ? ""
                                        : "; not trustworthy: a container hides pinned pages until the stop"))
                .row(
                        "dirtied",
                        "CPU " + Units.size(now.cpuDirtyBytesPerSecond()) + "/s, DMA "
                                + Units.size(now.dmaDirtyBytesPerSecond()) + "/s, " + Units.size(now.pinnedBytes())
                                + " pinned")
                .row("bandwidth", Units.size(now.stats().bandwidthBytesPerSecond()) + "/s")
                .row("passes", now.passes() + (now.acknowledged() ? "" : ", devices not yet acknowledged"));
    }

    /** A predicted standstill; without a measured bandwidth it is out of reach. */
    static String standstill(long micros) {
        return micros > TimeUnit.DAYS.toMicros(1) ? "unknown" : Units.millisOf(micros);
    }

    /** Convergence steps as a table. */
    static String steps(List<ConvergenceStep> steps) {
        Table table = new Table(">AT", "STEP", "REASON");
        steps.forEach(step -> table.row(Units.duration(step.precopyMillis()), step.step(), step.reason()));
        return table.render();
    }

    /** Measured standstill, or a dash before it. */
    static String downtime(MigrationView view) {
        return view.downtime().equals(Downtime.NONE)
                ? "-"
                : Units.millisOf(view.downtime().totalMicros());
    }

    private static String parts(Downtime parts) {
        return parts.equals(Downtime.NONE)
                ? ""
                : " (stop " + Units.millisOf(parts.stopMicros())
                        + ", last sync " + Units.millisOf(parts.lastSyncMicros())
                        + ", RAM " + Units.millisOf(parts.lastRamMicros())
                        + ", devices " + Units.millisOf(parts.deviceMicros())
                        + ", load " + Units.millisOf(parts.loadMicros())
                        + ", commit " + Units.millisOf(parts.commitMicros())
                        + ", resume " + Units.millisOf(parts.resumeMicros()) + ")";
    }

    private static String triples(MigrationView view) {
        return view.states().stream().map(MigrationText::triple).collect(Collectors.joining(" "));
    }

    private static String triple(StateTriple state) {
        return "(" + state.vm() + ", " + state.migration() + ", " + state.device() + ")";
    }
}
