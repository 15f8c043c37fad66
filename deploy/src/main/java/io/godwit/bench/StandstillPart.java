package io.godwit.bench;

import io.godwit.proto.migration.Downtime;

/** The whole standstill, then its parts in the order in which they happen. */
enum StandstillPart {
    /** All of it. */
    TOTAL("total"),
    /** vCPUs and devices brought to a stop. */
    STOP("stop"),
    /** Last dirty sync. */
    LAST_SYNC("last sync"),
    /** Last RAM pages sent. */
    LAST_BYTES("last bytes"),
    /** Device and vCPU state sent. */
    DEVICE("device"),
    /** Received, loaded and, if asked for, digested at the destination. */
    LOAD("load"),
    /** The ledger's commit and the word to run. */
    COMMIT("handoff commit"),
    /** Devices and vCPUs started at the destination. */
    RESUME("resume");

    private final String title;

    StandstillPart(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    double millis(Downtime downtime) {
        long micros = switch (this) {
            case TOTAL -> downtime.totalMicros();
            case STOP -> downtime.stopMicros();
            case LAST_SYNC -> downtime.lastSyncMicros();
            case LAST_BYTES -> downtime.lastRamMicros();
            case DEVICE -> downtime.deviceMicros();
            case LOAD -> downtime.loadMicros();
            case COMMIT -> downtime.commitMicros();
            case RESUME -> downtime.resumeMicros();
        };
        return micros / 1000.0;
    }
}
