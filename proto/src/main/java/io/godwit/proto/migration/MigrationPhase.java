package io.godwit.proto.migration;

/** Where a migration stands, as an operator sees it. */
public enum MigrationPhase {
    /** Asked for; the destination prepares. */
    PREPARING,
    /** Pages and device state are copied while the VM runs at the source. */
    PRE_COPY,
    /** The handoff is being opened in the ledger; the VM still runs at the source. */
    HANDOFF,
    /** The source has stopped, or may have; the rest is on its way. */
    SWITCHOVER,
    /** The destination has all of it; the ledger is asked to commit. */
    COMMITTING,
    /** Committed: the destination is told to run. */
    RESUMING,
    /** The destination runs; the source lets go. */
    RELEASING,
    /** The handoff is being aborted, or the copy discarded; the VM goes on at the source. */
    ROLLING_BACK,
    COMPLETED,
    CANCELLED,
    FAILED;

    /** Whether nothing more will happen. */
    public boolean ended() {
        return this == COMPLETED || this == CANCELLED || this == FAILED;
    }
}
