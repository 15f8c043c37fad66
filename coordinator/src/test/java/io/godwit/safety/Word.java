package io.godwit.safety;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipView;

/** A message on its way. What was sent once may arrive at any time, any number of times, or never. */
sealed interface Word {
    /** To the agent of {@code host}. */
    record ToHost(String host, HostCommand command) implements Word {}

    /** To the migration that it names. */
    record ToMigration(MigrationReport report) implements Word {}

    /** What the ledger may be asked to do. */
    enum Wish {
        /** BeginHandoff. */
        BEGIN,
        /** CommitHandoff. */
        COMMIT,
        /** AbortHandoff. */
        ABORT
    }

    /** To the ledger. */
    record ToLedger(Wish wish, String migration, String from, String to, long epoch) implements Word {}

    /** The ledger's answer, to whoever asks. */
    record FromLedger(OwnershipView view, boolean refused) implements Word {}
}
