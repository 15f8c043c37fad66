package io.godwit.proto.migration;

/** Migration status as the state triples of the VFIO flows name it (QAPI MigrationStatus, abridged). */
public enum MigrationStatus {
    NONE,
    SETUP,
    ACTIVE,
    DEVICE,
    COMPLETED,
    CANCELLED,
    FAILED
}
