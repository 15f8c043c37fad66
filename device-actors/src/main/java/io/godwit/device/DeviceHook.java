package io.godwit.device;

/** The hooks of a migrating device, by the names of the VFIO migration documents. */
public enum DeviceHook {
    /** Source: prepares to give state out. */
    SAVE_SETUP,
    /** Source: asks how much is still to be given out. */
    SAVE_LIVE_PENDING,
    /** Source: gives state out while the device runs. */
    SAVE_LIVE_ITERATE,
    /** Source: gives out the rest while the device stands still. */
    SAVE_LIVE_COMPLETE_PRECOPY,
    /** Destination: prepares to take state in. */
    LOAD_SETUP,
    /** Destination: takes a chunk in. */
    LOAD_STATE,
    /** Destination: all of it has come. */
    LOAD_CLEANUP,
    /** Both: releases what a setup took. */
    CLEANUP,
    /** Both: the VM's run state changes. */
    VM_STATE_CHANGED,
    /** Both: the migration's status changes. */
    MIGRATION_STATUS_CHANGED,
    /** Asks what the device is and where it stands. */
    DESCRIBE
}
