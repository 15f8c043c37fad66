package io.godwit.fleet;

import com.typesafe.config.Config;
import io.godwit.convergence.Policies;
import io.godwit.snapshot.SnapshotSettings;
import java.time.Duration;

/**
 * Limits of the coordinator's own questions; {@code godwit.coordinator} in reference.conf says why each has its value.
 *
 * @param askTimeout for an answer of an entity or of FleetView
 * @param askAgain after which a question that changes nothing is asked anew, in case it went to a coordinator that died
 * @param hostTimeout for an answer of a host agent, such as to the creation of a VM
 * @param agentPatience how long an agent that is not listed is looked for, and a report that is on its way
 * @param agentInterval between two looks
 * @param hostDownAfter how long a host may be unreachable before the cluster gives it up
 * @param coordinatorDownAfter how long a coordinator may be, or a majority of them missing
 * @param reportFresh a host's report no older than this shows by itself that the host is up
 * @param hostUnseenAfter hosts that have not reported after this, since the coordinator's start, are not waited for
 * @param leftoverInterval between two looks for copies that nobody minds
 * @param restartAfter how long a VM has to be out of sight before its lease is looked at
 * @param restartInterval between two looks for VMs that are to be started anew
 * @param restartRetryMin between two attempts to start one anew, at first
 * @param restartRetryMax and at most
 * @param listParallelism entities asked at the same time for a listing
 * @param schemaTimeout for the store's schema on start
 * @param fleetSnapshots of FleetView
 * @param policies ladders for migrations that do not converge
 */
public record CoordinatorSettings(
        Duration askTimeout,
        Duration askAgain,
        Duration hostTimeout,
        Duration agentPatience,
        Duration agentInterval,
        Duration hostDownAfter,
        Duration coordinatorDownAfter,
        Duration reportFresh,
        Duration hostUnseenAfter,
        Duration leftoverInterval,
        Duration restartAfter,
        Duration restartInterval,
        Duration restartRetryMin,
        Duration restartRetryMax,
        int listParallelism,
        Duration schemaTimeout,
        SnapshotSettings fleetSnapshots,
        Policies policies) {
    /** Reads {@code godwit.coordinator} of {@code config}. */
    public static CoordinatorSettings from(Config config) {
        Config own = config.getConfig("godwit.coordinator");
        return new CoordinatorSettings(
                own.getDuration("ask-timeout"),
                own.getDuration("ask-again"),
                own.getDuration("host-timeout"),
                own.getDuration("agent-patience"),
                own.getDuration("agent-interval"),
                own.getDuration("host-down-after"),
                own.getDuration("coordinator-down-after"),
                own.getDuration("report-fresh"),
                config.getDuration("godwit.migration.host-unseen-after"),
                own.getDuration("leftover-interval"),
                own.getDuration("restart-after"),
                own.getDuration("restart-interval"),
                own.getDuration("restart-retry-min"),
                own.getDuration("restart-retry-max"),
                own.getInt("list-parallelism"),
                own.getDuration("schema-timeout"),
                SnapshotSettings.from(own, "fleet-snapshots"),
                Policies.from(config));
    }
}
