package io.godwit.agent;

import static java.util.Objects.requireNonNull;

import io.godwit.device.DeviceHistory;
import io.godwit.device.DeviceHook;
import io.godwit.device.DeviceState;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceSpec;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What each hook of the save and resume flows (vfio-migration sections 5 and 6) does to a device of one kind, in stretches
 * of which a whole flow is put together. A line is a hook and the states it walked through; {@code !} marks one that
 * failed. How often a running device was asked for what is pending, and iterated, depends on time: one line stands for all.
 */
final class DeviceFlow {
    /** The same for every device. */
    private static final String ALIKE = """
            UNTOUCHED
              MIGRATION_STATUS_CHANGED(status) RUNNING
              VM_STATE_CHANGED(RUNNING, prepare) RUNNING
              VM_STATE_CHANGED(RUNNING) RUNNING
              CLEANUP RUNNING
            COPY
              SAVE_LIVE_COMPLETE_PRECOPY STOP_COPY
            REST
              VM_STATE_CHANGED(POSTMIGRATE) STOP_COPY>STOP
            END
              MIGRATION_STATUS_CHANGED(COMPLETED) STOP
              CLEANUP STOP
            """;

    /** v2 with pre-copy and P2P. */
    private static final DeviceFlow GPU = new DeviceFlow("""
            BOOT
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
            SETUP
              SAVE_SETUP RUNNING>PRE_COPY
            PRE_COPY
              SAVE_LIVE_PENDING, SAVE_LIVE_ITERATE PRE_COPY
            STOP
              VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY>PRE_COPY_P2P
              VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY_P2P>STOP_COPY
            GIVE_UP
              MIGRATION_STATUS_CHANGED(status) PRE_COPY>RUNNING
              VM_STATE_CHANGED(RUNNING, prepare) RUNNING
              VM_STATE_CHANGED(RUNNING) RUNNING
              CLEANUP RUNNING
            BACK_FROM_REST
              MIGRATION_STATUS_CHANGED(status) STOP
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              CLEANUP RUNNING
            BACK_FROM_COPY
              MIGRATION_STATUS_CHANGED(status) STOP_COPY
              VM_STATE_CHANGED(RUNNING, prepare) STOP_COPY>STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              CLEANUP RUNNING
            LOAD
              VM_STATE_CHANGED(PAUSED) STOP
              LOAD_SETUP STOP>RESUMING
              LOAD_STATE(PRECOPY) RESUMING
              LOAD_STATE(INITIAL_END) RESUMING
              LOAD_STATE(PRECOPY) RESUMING
              LOAD_STATE(CONFIG) RESUMING
              LOAD_STATE(STOPCOPY) RESUMING
              LOAD_STATE(END) RESUMING
              LOAD_CLEANUP RESUMING>STOP
            RESUME
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              MIGRATION_STATUS_CHANGED(COMPLETED) RUNNING
            """);

    /** v2 with P2P and without pre-copy: it runs on until the stop, and all it hears of till then is what is asked of all. */
    private static final String VNIC_ALONE = """
            BOOT
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
            SETUP
              SAVE_SETUP RUNNING
            PRE_COPY
              SAVE_LIVE_PENDING RUNNING
            STOP
              VM_STATE_CHANGED(FINISH_MIGRATE, prepare) RUNNING>RUNNING_P2P
              VM_STATE_CHANGED(FINISH_MIGRATE) RUNNING_P2P>STOP>STOP_COPY
            GIVE_UP
              MIGRATION_STATUS_CHANGED(status) RUNNING
              VM_STATE_CHANGED(RUNNING, prepare) RUNNING
              VM_STATE_CHANGED(RUNNING) RUNNING
              CLEANUP RUNNING
            BACK_FROM_REST
              MIGRATION_STATUS_CHANGED(status) STOP
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              CLEANUP RUNNING
            BACK_FROM_COPY
              MIGRATION_STATUS_CHANGED(status) STOP_COPY
              VM_STATE_CHANGED(RUNNING, prepare) STOP_COPY>STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              CLEANUP RUNNING
            LOAD
              VM_STATE_CHANGED(PAUSED) STOP
              LOAD_SETUP STOP>RESUMING
              LOAD_STATE(CONFIG) RESUMING
              LOAD_STATE(STOPCOPY) RESUMING
              LOAD_STATE(END) RESUMING
              LOAD_CLEANUP RESUMING>STOP
            RESUME
              VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P
              VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING
              MIGRATION_STATUS_CHANGED(COMPLETED) RUNNING
            """;

    private static final DeviceFlow VNIC = new DeviceFlow(VNIC_ALONE);

    /** Beside a device that has pre-copy: all are iterated, and it has nothing to give. */
    private static final DeviceFlow VNIC_BESIDE = new DeviceFlow(
            VNIC_ALONE.replace("SAVE_LIVE_PENDING RUNNING", "SAVE_LIVE_PENDING, SAVE_LIVE_ITERATE RUNNING"));

    /** v1: pre-copy in which it gives out nothing but the word that its initial data, none, is out; no P2P. */
    private static final DeviceFlow NIC = new DeviceFlow("""
            BOOT
              VM_STATE_CHANGED(RUNNING, prepare) STOP
              VM_STATE_CHANGED(RUNNING) STOP>RUNNING
            SETUP
              SAVE_SETUP RUNNING>PRE_COPY
            PRE_COPY
              SAVE_LIVE_PENDING, SAVE_LIVE_ITERATE PRE_COPY
            STOP
              VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY
              VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY>STOP_COPY
            GIVE_UP
              MIGRATION_STATUS_CHANGED(status) PRE_COPY>RUNNING
              VM_STATE_CHANGED(RUNNING, prepare) RUNNING
              VM_STATE_CHANGED(RUNNING) RUNNING
              CLEANUP RUNNING
            BACK_FROM_REST
              MIGRATION_STATUS_CHANGED(status) STOP
              VM_STATE_CHANGED(RUNNING, prepare) STOP
              VM_STATE_CHANGED(RUNNING) STOP>RUNNING
              CLEANUP RUNNING
            BACK_FROM_COPY
              MIGRATION_STATUS_CHANGED(status) STOP_COPY
              VM_STATE_CHANGED(RUNNING, prepare) STOP_COPY
              VM_STATE_CHANGED(RUNNING) STOP_COPY>STOP>RUNNING
              CLEANUP RUNNING
            LOAD
              VM_STATE_CHANGED(PAUSED) STOP
              LOAD_SETUP STOP>RESUMING
              LOAD_STATE(INITIAL_END) RESUMING
              LOAD_STATE(CONFIG) RESUMING
              LOAD_STATE(STOPCOPY) RESUMING
              LOAD_STATE(END) RESUMING
              LOAD_CLEANUP RESUMING>STOP
            RESUME
              VM_STATE_CHANGED(RUNNING, prepare) STOP
              VM_STATE_CHANGED(RUNNING) STOP>RUNNING
              MIGRATION_STATUS_CHANGED(COMPLETED) RUNNING
            """);

    /** A part of a flow. */
    enum Stretch {
        /** Its VM is created and runs. */
        BOOT,
        /** Source: save_setup. */
        SETUP,
        /** Source: pre-copy. */
        PRE_COPY,
        /** Source: the P2P barrier, then the stop. */
        STOP,
        /** Source: all that is left. */
        COPY,
        /** Source: all is sent. */
        REST,
        /** Source: the destination runs. */
        END,
        /** Source: nothing was set up yet, and the VM runs on. */
        UNTOUCHED,
        /** Source: out of pre-copy, and the VM runs on. */
        GIVE_UP,
        /** Source: all was sent, and it runs here again. */
        BACK_FROM_REST,
        /** Source: it has given out its state, or a part of it, and runs here again. */
        BACK_FROM_COPY,
        /** Destination: load_setup and all chunks. */
        LOAD,
        /** Destination: it runs. */
        RESUME
    }

    private final Map<Stretch, List<String>> lines = new EnumMap<>(Stretch.class);

    private DeviceFlow(String text) {
        List<String> stretch = List.of();
        for (String line : (text + ALIKE).lines().toList()) {
            if (line.startsWith(" ")) {
                stretch.add(line.strip());
            } else {
                stretch = new ArrayList<>();
                lines.put(Stretch.valueOf(line), stretch);
            }
        }
    }

    /** The flow of one of these devices of a VM. */
    static DeviceFlow of(DeviceSpec device, List<DeviceSpec> devices) {
        return switch (device.model()) {
            case "gpu" -> GPU;
            case "nic" -> NIC;
            case "vnic" -> devices.stream().allMatch(other -> other.model().equals("vnic")) ? VNIC : VNIC_BESIDE;
            default -> throw new IllegalArgumentException("no flow is written down for model " + device.model());
        };
    }

    /**
     * Its lines through these parts: a {@link Stretch}, a line as it stands, or a list of parts. A {@link MigrationStatus} says how the
     * migration ended for the parts after it; FAILED if none does.
     */
    List<String> through(Object... parts) {
        List<String> all = new ArrayList<>();
        add(all, List.of(parts), MigrationStatus.FAILED);
        return all;
    }

    private MigrationStatus add(List<String> all, List<?> parts, MigrationStatus before) {
        MigrationStatus status = before;
        for (Object part : parts) {
            switch (part) {
                case MigrationStatus how -> status = how;
                case List<?> more -> status = add(all, more, status);
                case Stretch stretch -> {
                    for (String line : requireNonNull(lines.get(stretch), () -> "no stretch " + stretch)) {
                        all.add(line.replace("(status)", "(" + status + ")"));
                    }
                }
                default -> all.add((String) part);
            }
        }
        return status;
    }

    /** A history in the same lines. */
    static List<String> lines(List<DeviceHistory.Entry> history) {
        List<String> lines = new ArrayList<>();
        List<DeviceHook> live = new ArrayList<>();
        DeviceState liveIn = DeviceState.ERROR;
        for (DeviceHistory.Entry entry : history) {
            DeviceState first = entry.states().getFirst();
            if (asksOrIterates(entry)) {
                // the last sync asks a device that has stopped, too, and one under way asks after a failure
                if (first != DeviceState.STOP_COPY
                        && (lines.isEmpty() || !lines.getLast().endsWith("!"))) {
                    live.add(entry.hook());
                    liveIn = first;
                }
                continue;
            }
            flush(live, liveIn, lines);
            if (entry.hook() != DeviceHook.DESCRIBE) {
                lines.add(entry.hook() + (entry.detail().isEmpty() ? "" : "(" + entry.detail() + ")") + " "
                        + entry.states().stream().map(Enum::name).collect(Collectors.joining(">"))
                        + (entry.failure().isPresent() ? " !" : ""));
            }
        }
        flush(live, liveIn, lines);
        return lines;
    }

    private static boolean asksOrIterates(DeviceHistory.Entry entry) {
        return entry.failure().isEmpty()
                && (entry.hook() == DeviceHook.SAVE_LIVE_PENDING || entry.hook() == DeviceHook.SAVE_LIVE_ITERATE);
    }

    private static void flush(List<DeviceHook> live, DeviceState state, List<String> lines) {
        if (!live.isEmpty()) {
            lines.add(live.stream().distinct().map(Enum::name).collect(Collectors.joining(", ")) + " " + state);
            live.clear();
        }
    }
}
