package io.godwit.vm;

import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Where things lie in a native guest's RAM, derived from its spec alone, so that both hosts and any checker agree:
 * program and page tables in the first 2 MiB, one slice of the working set per vCPU from there, pinned ranges of the
 * devices packed downwards from the end.
 */
public final class GuestLayout {
    /** Bytes kept for the guest program and its page tables. */
    public static final long SYSTEM_BYTES = 2L << 20;

    /** RAM granularity: the guest maps itself in 2 MiB pages. */
    public static final long RAM_UNIT = 2L << 20;

    /** Most vCPUs of a native guest. */
    public static final int VCPUS_MAX = 4;

    /** A range of guest physical memory, in bytes. */
    public record Range(long gpa, long bytes) {
        /** First page. */
        public long firstPage() {
            return gpa / GuestMemory.PAGE_SIZE;
        }

        /** Number of pages. */
        public long pages() {
            return bytes / GuestMemory.PAGE_SIZE;
        }
    }

    private final VmSpec spec;
    private final Map<String, Range> pinned = new LinkedHashMap<>();

    /**
     * Lays a VM out.
     *
     * @throws IllegalArgumentException naming the size that does not fit, and what would
     */
    public GuestLayout(VmSpec spec) {
        this.spec = spec;
        if (spec.memoryBytes() < 2 * RAM_UNIT || spec.memoryBytes() % RAM_UNIT != 0) {
            throw new IllegalArgumentException("VM " + spec.name() + ": memory of " + spec.memoryBytes()
                    + " bytes; expected a multiple of 2 MiB, at least 4 MiB");
        }
        if (spec.vcpus() < 1 || spec.vcpus() > VCPUS_MAX) {
            throw new IllegalArgumentException(
                    "VM " + spec.name() + ": " + spec.vcpus() + " vCPUs; expected 1 to " + VCPUS_MAX);
        }
        long workingSet = spec.workload().workingSetBytes();
        if (workingSet < 0 || workingSet % ((long) GuestMemory.PAGE_SIZE * spec.vcpus()) != 0) {
            throw new IllegalArgumentException("VM " + spec.name() + ": working set of " + workingSet
                    + " bytes; expected a multiple of " + GuestMemory.PAGE_SIZE * spec.vcpus() + " (a page per vCPU)");
        }
        if (spec.workload().dirtyBytesPerSecond() < 0) {
            throw new IllegalArgumentException("VM " + spec.name() + ": dirty rate of "
                    + spec.workload().dirtyBytesPerSecond() + " bytes/s; expected 0 (as fast as it can) or more");
        }
        long top = spec.memoryBytes();
        for (DeviceSpec device : spec.devices()) {
            if (device.pinnedBytes() < 0 || device.pinnedBytes() % GuestMemory.PAGE_SIZE != 0) {
                throw new IllegalArgumentException("VM " + spec.name() + ", device " + device.name() + ": "
                        + device.pinnedBytes() + " pinned bytes; expected a multiple of " + GuestMemory.PAGE_SIZE);
            }
            top -= device.pinnedBytes();
            if (pinned.put(device.name(), new Range(top, device.pinnedBytes())) != null) {
                throw new IllegalArgumentException(
                        "VM " + spec.name() + ": two devices named " + device.name() + "; expected distinct names");
            }
        }
        if (SYSTEM_BYTES + workingSet > top) {
            throw new IllegalArgumentException("VM " + spec.name() + ": working set of " + workingSet + " and "
                    + (spec.memoryBytes() - top) + " pinned bytes do not fit in memory of " + spec.memoryBytes()
                    + " less 2 MiB for the guest program");
        }
        checkContainers();
    }

    private void checkContainers() {
        Set<String> names = new HashSet<>();
        for (ContainerSpec container : spec.containers()) {
            String where = "VM " + spec.name() + ", container " + container.name() + ": ";
            if (!names.add(container.name())) {
                throw new IllegalArgumentException(where + "listed twice; expected distinct names");
            }
            if (spec.devices().stream().noneMatch(device -> device.container().equals(container.name()))) {
                throw new IllegalArgumentException(where + "no device is in it; expected at least one");
            }
            if (container.remapBytesPerSecond() < 0 || (container.remapBytesPerSecond() > 0 && !container.viommu())) {
                throw new IllegalArgumentException(where + "a remap rate of " + container.remapBytesPerSecond()
                        + " bytes/s; expected 0 (never), or more with a vIOMMU");
            }
        }
    }

    /** Pages written by vCPU {@code index}: its slice of the working set. */
    public Range slice(int index) {
        long bytes = spec.workload().workingSetBytes() / spec.vcpus();
        return new Range(SYSTEM_BYTES + index * bytes, bytes);
    }

    /** Pages pinned by the device of that name. */
    public Range pinned(String device) {
        Range range = pinned.get(device);
        if (range == null) {
            throw new IllegalArgumentException("VM " + spec.name() + " has no device " + device);
        }
        return range;
    }

    /** The container of that name: one that the spec does not list has no vIOMMU. */
    public ContainerSpec container(String name) {
        return spec.container(name);
    }
}
