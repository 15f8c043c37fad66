package io.godwit.evacuation;

import com.typesafe.config.Config;
import io.godwit.convergence.Policies;
import io.godwit.snapshot.SnapshotSettings;
import java.time.Duration;

/**
 * Limits of an evacuation; {@code godwit.evacuation} in reference.conf says why each has its value.
 *
 * @param lookInterval between two looks at the fleet and at the running migrations
 * @param attemptsMax migrations of one VM before it is given up
 * @param passivateAfter an ended or unknown evacuation leaves memory after this
 * @param snapshots of its state
 * @param policies ladders for migrations that do not converge
 */
public record EvacuationSettings(
        Duration lookInterval,
        int attemptsMax,
        Duration passivateAfter,
        SnapshotSettings snapshots,
        Policies policies) {
    /** Reads {@code godwit.evacuation} of {@code config}. */
    public static EvacuationSettings from(Config config) {
        Config own = config.getConfig("godwit.evacuation");
        return new EvacuationSettings(
                own.getDuration("look-interval"),
                own.getInt("attempts-max"),
                own.getDuration("passivate-after"),
                SnapshotSettings.from(own, "snapshots"),
                Policies.from(config));
    }
}
