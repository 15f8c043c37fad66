package io.godwit.agent;

import io.godwit.proto.vm.DeviceSpec;
import java.util.List;

/**
 * The devices of a VM in a test of flows.
 *
 * @param label as it is shown
 * @param devices in slot order
 * @param running their bits while they run
 * @param preCopy their bits in pre-copy
 * @param saving their bits while they give out the rest
 * @param stopped their bits once all is sent
 * @param resuming their bits while they take state in
 */
record DeviceSet(
        String label,
        List<DeviceSpec> devices,
        String running,
        String preCopy,
        String saving,
        String stopped,
        String resuming) {
    static final DeviceSet NONE = new DeviceSet("no device", List.of(), "-", "-", "-", "-", "-");
    static final DeviceSet GPU = withPreCopy("one gpu (v2 with pre-copy)", Move.device("gpu0", "gpu"));
    static final DeviceSet NIC = withPreCopy("one nic (v1)", Move.device("nic0", "nic"));
    static final DeviceSet VNIC = withoutPreCopy("one vnic (v2 without pre-copy)", Move.device("vnic0", "vnic"));
    static final DeviceSet TWO_GPUS = withPreCopy("two gpus", Move.device("gpu0", "gpu"), Move.device("gpu1", "gpu"));

    static final DeviceSet GPU_AND_VNIC = new DeviceSet(
            "a gpu and a vnic",
            List.of(Move.device("gpu0", "gpu"), Move.device("vnic0", "vnic")),
            "_RUNNING",
            "_RUNNING|_SAVING,_RUNNING",
            "_SAVING",
            "_STOPPED",
            "_RESUMING");

    static final List<DeviceSet> ALL = List.of(NONE, GPU, NIC, VNIC, TWO_GPUS, GPU_AND_VNIC);

    private static DeviceSet withPreCopy(String label, DeviceSpec... devices) {
        return new DeviceSet(
                label, List.of(devices), "_RUNNING", "_RUNNING|_SAVING", "_SAVING", "_STOPPED", "_RESUMING");
    }

    private static DeviceSet withoutPreCopy(String label, DeviceSpec... devices) {
        return new DeviceSet(label, List.of(devices), "_RUNNING", "_RUNNING", "_SAVING", "_STOPPED", "_RESUMING");
    }

    static List<DeviceSet> all() {
        return ALL;
    }

    /** Triples whose device column holds the name of a column of this set, such as {@code RUNNING SETUP preCopy}. */
    List<String> triples(String... lines) {
        return triples(List.of(lines));
    }

    List<String> triples(List<String> lines) {
        return lines.stream()
                .map(line -> line.substring(0, line.lastIndexOf(' ') + 1)
                        + column(line.substring(line.lastIndexOf(' ') + 1)))
                // without devices two steps in a row may look alike: a flow has no repeats
                .distinct()
                .toList();
    }

    private String column(String name) {
        return switch (name) {
            case "running" -> running;
            case "preCopy" -> preCopy;
            case "saving" -> saving;
            case "stopped" -> stopped;
            case "resuming" -> resuming;
            default -> throw new IllegalArgumentException(name);
        };
    }

    @Override
    public String toString() {
        return label;
    }
}
