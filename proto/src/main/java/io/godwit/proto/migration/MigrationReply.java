package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/** Answer to whoever asked a migration something. */
public sealed interface MigrationReply extends WireMessage {
    /** The migration as it stands. */
    record MigrationShown(MigrationView view) implements MigrationReply {}

    /** Not done, or no such migration: why. */
    record MigrationRefused(String migration, String reason) implements MigrationReply {}
}
