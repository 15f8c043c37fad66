package io.godwit.proto.migration;

/** All that {@code Migration[id]} receives from outside: requests of the coordinator, reports of the hosts. */
public sealed interface MigrationMessage permits MigrationRequest, MigrationReport, SaveProgress {
    /** The migration it is meant for; an entity refuses a foreign one. */
    String migration();
}
