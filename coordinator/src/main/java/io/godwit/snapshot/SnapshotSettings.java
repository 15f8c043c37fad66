package io.godwit.snapshot;

import com.typesafe.config.Config;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;

/**
 * When one kind of entity takes a snapshot, and how many it keeps; the {@code snapshots} blocks in reference.conf say why
 * each has its value. Whatever a command is answered with, and whatever follows from its event, waits until the snapshot is
 * stored or has failed. A snapshot may be lost or unreadable at any time: events are never deleted.
 *
 * @param every events from one snapshot to the next
 * @param kept snapshots of one entity in the store; older ones are deleted
 */
public record SnapshotSettings(int every, int kept) {
    public SnapshotSettings {
        if (every < 1 || kept < 1) {
            throw new IllegalArgumentException(
                    "snapshots every " + every + " events, " + kept + " kept; expected at least 1 of each");
        }
    }

    /** Reads the block {@code path} of {@code config}. */
    public static SnapshotSettings from(Config config, String path) {
        Config own = config.getConfig(path);
        return new SnapshotSettings(own.getInt("every"), own.getInt("kept"));
    }

    /** For an entity's {@code retentionCriteria}. */
    public RetentionCriteria criteria() {
        return RetentionCriteria.snapshotEvery(every, kept);
    }
}
