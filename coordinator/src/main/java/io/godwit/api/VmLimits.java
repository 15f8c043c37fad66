package io.godwit.api;

import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What any host would refuse in a VM's specification, found before one is asked, so that the operator is told that the
 * input was wrong and not that a host failed. Sizes are those of a native guest: RAM in units of 2 MiB, of which the
 * first holds the guest program; dirty tracking in pages of 4 KiB.
 */
final class VmLimits {
    private static final long PAGE_BYTES = 4096;
    private static final long RAM_UNIT_BYTES = 2L << 20;
    private static final int VCPUS_MAX = 4;

    private VmLimits() {}

    /**
     * Checks sizes.
     *
     * @throws ApiProblem 400, naming the field and what was expected
     */
    static void check(VmSpec spec) {
        long memory = spec.memoryBytes();
        if (memory < 2 * RAM_UNIT_BYTES || memory % RAM_UNIT_BYTES != 0) {
            throw wrong("memoryBytes", memory, "a multiple of 2 MiB (2097152), at least 4 MiB");
        }
        if (spec.vcpus() < 1 || spec.vcpus() > VCPUS_MAX) {
            throw wrong("vcpus", spec.vcpus(), "1 to " + VCPUS_MAX);
        }
        long workingSet = spec.workload().workingSetBytes();
        if (workingSet % (PAGE_BYTES * spec.vcpus()) != 0) {
            throw wrong(
                    "workload.workingSetBytes",
                    workingSet,
                    "a multiple of " + PAGE_BYTES * spec.vcpus() + " (4 KiB per vCPU)");
        }
        long room = memory - RAM_UNIT_BYTES;
        Set<String> names = new HashSet<>();
        for (DeviceSpec device : spec.devices()) {
            String at = "devices[" + names.size() + "].";
            if (!names.add(device.name())) {
                throw ApiProblem.badRequest(
                        "two devices are named '" + device.name() + "'; expected a name of its own for each");
            }
            if (device.pinnedBytes() % PAGE_BYTES != 0) {
                throw wrong(at + "pinnedBytes", device.pinnedBytes(), "a multiple of " + PAGE_BYTES);
            }
            // one device after the other, so that absurd sizes cannot overflow the sum
            if (device.pinnedBytes() > room) {
                throw wrong(
                        at + "pinnedBytes", device.pinnedBytes(), "at most " + room + ", what is left of the memory");
            }
            room -= device.pinnedBytes();
        }
        checkContainers(spec);
        if (workingSet > room) {
            throw wrong(
                    "workload.workingSetBytes",
                    workingSet,
                    "at most " + room + ": the memory less 2 MiB for the guest program and less what the devices pin");
        }
    }

    /** A container that no device is in would never be made: its settings are a mistake. */
    private static void checkContainers(VmSpec spec) {
        Set<String> used =
                spec.devices().stream().map(DeviceSpec::container).collect(Collectors.toCollection(TreeSet::new));
        Set<String> names = new HashSet<>();
        for (ContainerSpec container : spec.containers()) {
            String at = "containers[" + names.size() + "].";
            if (!names.add(container.name())) {
                throw ApiProblem.badRequest("two containers are named '" + container.name() + "'; expected each once");
            }
            if (!used.contains(container.name())) {
                throw ApiProblem.badRequest("field '" + at + "name' is '" + container.name()
                        + "', which no device names; expected "
                        + (used.isEmpty() ? "no containers for a VM without devices" : String.join(" or ", used)));
            }
            if (container.remapBytesPerSecond() > 0 && !container.viommu()) {
                throw wrong(
                        at + "remapBytesPerSecond",
                        container.remapBytesPerSecond(),
                        "0 without a vIOMMU, or viommu: true");
            }
        }
    }

    private static ApiProblem wrong(String field, long value, String expected) {
        return ApiProblem.badRequest("field '" + field + "' is " + value + "; expected " + expected);
    }
}
