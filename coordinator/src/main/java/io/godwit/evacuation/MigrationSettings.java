package io.godwit.evacuation;

import com.typesafe.config.Config;
import io.godwit.convergence.Policies;
import java.time.Duration;

/**
 * Limits of a migration; {@code godwit.migration} in reference.conf says why each has its value.
 *
 * @param resendInterval between two sendings of the same command
 * @param prepareTimeout for the destination to make room
 * @param progressTimeout without a word of progress from the source while it copies
 * @param switchoverTimeout from the wish for a handoff to the destination's word that all is loaded
 * @param hostGoneAfter an agent that was listed and is not any more counts as gone after this
 * @param hostUnseenAfter an agent that has not been listed since this coordinator recovered the migration, after this
 * @param refusalsMax refusals of the same command before it counts as refused for good
 * @param passivateAfter an ended or unknown migration leaves memory after this
 * @param snapshotEvery events from one snapshot to the next while it pre-copies
 * @param policies ladders for migrations that do not converge
 */
public record MigrationSettings(
        Duration resendInterval,
        Duration prepareTimeout,
        Duration progressTimeout,
        Duration switchoverTimeout,
        Duration hostGoneAfter,
        Duration hostUnseenAfter,
        int refusalsMax,
        Duration passivateAfter,
        int snapshotEvery,
        Policies policies) {
    /** Reads {@code godwit.migration} of {@code config}. */
    public static MigrationSettings from(Config config) {
        Config own = config.getConfig("godwit.migration");
        return new MigrationSettings(
                own.getDuration("resend-interval"),
                own.getDuration("prepare-timeout"),
                own.getDuration("progress-timeout"),
                own.getDuration("switchover-timeout"),
                own.getDuration("host-gone-after"),
                own.getDuration("host-unseen-after"),
                own.getInt("refusals-max"),
                own.getDuration("passivate-after"),
                own.getInt("snapshot-every"),
                Policies.from(config));
    }
}
