package io.godwit.proto.vm;

/** Run state of a VM, in QEMU's terms (QAPI RunState). */
public enum RunState {
    /** Created, vCPUs never started. */
    PRELAUNCH,
    /** vCPUs run. */
    RUNNING,
    /** Stopped by a person; stays so until told otherwise, a migration included. */
    PAUSED,
    /** Stopped at the source for the switchover; runs again only on a grant with a higher epoch. */
    FINISH_MIGRATE,
    /** At the destination, loading; stopped until the ledger grants it. */
    RESTORE_VM,
    /** Let go by the source after the destination took over. */
    POSTMIGRATE,
    /** The guest itself failed; its reason is in the inventory. */
    INTERNAL_ERROR
}
