package io.godwit.lease;

import com.typesafe.config.Config;
import io.godwit.snapshot.SnapshotSettings;
import java.time.Duration;

/**
 * Limits of the lender of leases; {@code godwit.lease} in reference.conf says why each has its value.
 *
 * @param terms of the leases
 * @param roundInterval least time between two rounds
 * @param idleRoundInterval most time between two rounds
 * @param staleAfter a lender that has held no round for so long reads the journal again first
 * @param snapshots of what lasts; older events are deleted
 */
public record LeaseSettings(
        LeaseTerms terms,
        Duration roundInterval,
        Duration idleRoundInterval,
        Duration staleAfter,
        SnapshotSettings snapshots) {
    /**
     * Refuses what would let a lender that slept write where its successor's events have been deleted: those are there for
     * longer than an old lender's silence and a lease together.
     */
    public LeaseSettings {
        Duration kept = roundInterval.multipliedBy(snapshots.every());
        Duration needed = staleAfter.plusNanos(terms.overAfterNanos());
        if (kept.compareTo(needed) <= 0 || idleRoundInterval.compareTo(staleAfter) >= 0) {
            throw new IllegalArgumentException("godwit.lease: events are kept for " + kept + " (snapshots.every times"
                    + " round-interval), expected more than " + needed
                    + " (stale-after and a lease); idle-round-interval"
                    + " is " + idleRoundInterval + ", expected less than stale-after, " + staleAfter);
        }
    }

    /** Reads {@code godwit.lease} of {@code config}. */
    public static LeaseSettings from(Config config) {
        Config own = config.getConfig("godwit.lease");
        return new LeaseSettings(
                LeaseTerms.from(config),
                own.getDuration("round-interval"),
                own.getDuration("idle-round-interval"),
                own.getDuration("stale-after"),
                SnapshotSettings.from(own, "snapshots"));
    }
}
