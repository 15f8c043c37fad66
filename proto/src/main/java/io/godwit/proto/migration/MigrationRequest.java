package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.VmSpec;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** What the coordinator's own actors ask of {@code Migration[id]}. */
public sealed interface MigrationRequest extends MigrationMessage, WireMessage {
    /**
     * Starts the migration; repeated, it answers with where it stands. {@code evacuation} is told when it ends.
     */
    record StartMigration(
            String migration,
            VmSpec spec,
            String from,
            String to,
            long epoch,
            MigrationOptions options,
            Optional<String> evacuation,
            ActorRef<MigrationReply> replyTo)
            implements MigrationRequest {}

    /** Rolls back as long as the handoff is not committed. */
    record CancelMigration(String migration, String reason, ActorRef<MigrationReply> replyTo)
            implements MigrationRequest {}

    /**
     * Changes limits while it pre-copies; -1 leaves one as it is. The downtime limit cannot be raised over the VM's
     * blackout budget.
     *
     * @param bandwidthBytesPerSecond 0 for no limit
     */
    record AdjustMigration(
            String migration, long downtimeLimitMs, long bandwidthBytesPerSecond, ActorRef<MigrationReply> replyTo)
            implements MigrationRequest {}

    /** Asks what its devices saw. Answered with {@link MigrationReply.MigrationHistoryShown}. */
    record ShowMigrationHistory(String migration, ActorRef<MigrationReply> replyTo) implements MigrationRequest {}

    /** Asks where it stands. */
    record ShowMigration(String migration, ActorRef<MigrationReply> replyTo) implements MigrationRequest {}
}
