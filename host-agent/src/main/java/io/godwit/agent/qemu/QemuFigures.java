package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What query-migrate and query-status say at one moment. Statuses of later versions are kept as they are: one that is not
 * known is not an end.
 *
 * @param status of the migration, as QEMU names it; {@code none} when there was none
 * @param runState as QEMU names it
 * @param running whether vCPUs run
 * @param totalBytes RAM of the VM
 * @param remainingBytes RAM still to send, as far as QEMU knows
 * @param transferredBytes written to the stream
 * @param pageBytesSent full pages sent, repetitions counted
 * @param bandwidthBytesPerSecond over the last 100 ms or more
 * @param dirtyBytesPerSecond between the last two syncs that were a second apart; saturates at the transfer rate
 * @param syncs of the dirty bitmap
 * @param deviceBytes state of VFIO devices sent
 * @param expectedDowntimeMs QEMU's own prediction; -1 when it says none
 * @param downtimeMs as measured by QEMU; 7.2 says 0 for a moment after the completion
 * @param error why the migration failed, if QEMU says
 * @param blocked why the VM cannot be migrated, each reason; empty when QEMU has none
 */
record QemuFigures(
        String status,
        String runState,
        boolean running,
        long totalBytes,
        long remainingBytes,
        long transferredBytes,
        long pageBytesSent,
        long bandwidthBytesPerSecond,
        long dirtyBytesPerSecond,
        int syncs,
        long deviceBytes,
        long expectedDowntimeMs,
        long downtimeMs,
        Optional<String> error,
        List<String> blocked) {
    private static final long MEGABIT_BYTES = 125_000;
    private static final Set<String> ENDS = Set.of("completed", "failed", "cancelled");
    private static final String NONE = "none";
    private static final Set<String> NOT_BEGUN = Set.of(NONE, "setup");

    static QemuFigures of(JsonNode migration, JsonNode status) {
        JsonNode ram = migration.path("ram");
        long pageBytes = ram.path("page-size").asLong(4096);
        List<String> blocked = new ArrayList<>();
        migration.path("blocked-reasons").forEach(reason -> blocked.add(reason.asText()));
        return new QemuFigures(
                migration.path("status").asText("none"),
                status.path("status").asText("unknown"),
                status.path("running").asBoolean(),
                ram.path("total").asLong(),
                ram.path("remaining").asLong(),
                ram.path("transferred").asLong(),
                ram.path("normal-bytes").asLong(),
                (long) (ram.path("mbps").asDouble() * MEGABIT_BYTES),
                ram.path("dirty-pages-rate").asLong() * pageBytes,
                ram.path("dirty-sync-count").asInt(),
                migration.path("vfio").path("transferred").asLong(),
                migration.path("expected-downtime").asLong(-1),
                migration.path("downtime").asLong(),
                migration.has("error-desc")
                        ? Optional.of(migration.path("error-desc").asText())
                        : Optional.empty(),
                List.copyOf(blocked));
    }

    /** Whether nothing more will happen in this migration. */
    boolean ended() {
        return ENDS.contains(status);
    }

    /** Whether a migration is under way, be it that it only looks for its destination yet. */
    boolean migrating() {
        return !status.equals(NONE) && !ended();
    }

    boolean completed() {
        return status.equals("completed");
    }

    boolean failed() {
        return status.equals("failed") || status.equals("cancelled");
    }

    boolean preSwitchover() {
        return status.equals("pre-switchover");
    }

    /** Whether QEMU has stopped the VM, to send the last of it. */
    boolean switchingOver() {
        return runState.equals("finish-migrate") || runState.equals("postmigrate");
    }

    boolean active() {
        return status.equals("active");
    }

    /** Whether bytes have begun to flow. */
    boolean begun() {
        return !NOT_BEGUN.contains(status);
    }

    /** Whether the VM's state is on both hosts at once: there is no way back, and no cancelling. */
    boolean postcopy() {
        return status.startsWith("postcopy");
    }

    /** Whether the link of a postcopy is broken: no more memory comes until it is mended. */
    boolean postcopyPaused() {
        return status.equals("postcopy-paused");
    }

    /** The run state in the terms of the fleet. */
    RunState fleetRunState() {
        return switch (runState) {
            case "running" -> RunState.RUNNING;
            case "paused", "suspended", "debug", "watchdog" -> RunState.PAUSED;
            case "prelaunch", "preconfig" -> RunState.PRELAUNCH;
            case "finish-migrate" -> RunState.FINISH_MIGRATE;
            case "postmigrate" -> RunState.POSTMIGRATE;
            case "inmigrate", "restore-vm" -> RunState.RESTORE_VM;
            default -> RunState.INTERNAL_ERROR;
        };
    }

    /** The migration's status in the terms of the state triples. */
    MigrationStatus fleetStatus() {
        return fleetStatus(status);
    }

    /** That of a status as QEMU names it. */
    static MigrationStatus fleetStatus(String status) {
        return switch (status) {
            case "none" -> MigrationStatus.NONE;
            case "setup", "wait-unplug" -> MigrationStatus.SETUP;
            case "pre-switchover", "device" -> MigrationStatus.DEVICE;
            case "completed" -> MigrationStatus.COMPLETED;
            case "cancelling", "cancelled" -> MigrationStatus.CANCELLED;
            case "failed" -> MigrationStatus.FAILED;
            default -> MigrationStatus.ACTIVE;
        };
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s (run state %s, %d bytes left)", status, runState, remainingBytes);
    }
}
