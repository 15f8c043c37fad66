package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.DeviceLog;
import java.util.List;

/** Answer to whoever asked a migration something. */
public sealed interface MigrationReply extends WireMessage {
    /** The migration as it stands. */
    record MigrationShown(MigrationView view) implements MigrationReply {}

    /** The migration as it stands, and what the devices at its source saw, once the source has let go. */
    record MigrationHistoryShown(MigrationView view, List<DeviceLog> source) implements MigrationReply {
        public MigrationHistoryShown {
            source = List.copyOf(source);
        }
    }

    /** Not done, or no such migration: why. */
    record MigrationRefused(String migration, String reason) implements MigrationReply {}
}
