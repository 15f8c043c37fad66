package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * What a VM is made of.
 *
 * @param name unique in the fleet
 * @param driver guest driver: {@code auto}, {@code kvm}, {@code soft} or {@code qemu}; {@code auto} is settled by the host
 *     that creates the VM and is never seen in a running VM's spec
 * @param memoryBytes guest RAM, a multiple of 2 MiB
 * @param vcpus 1 to 4
 * @param workload what the guest program does
 * @param devices VFIO devices, in slot order
 * @param blackoutBudgetMs longest standstill the owner of the VM accepts, in milliseconds
 * @param containers memory containers that are more than the default; every other one that a device names has no vIOMMU
 * @param convergence the VM's own convergence policy, by name or as a ladder; empty for whatever the migration says
 * @param qemu what only a QEMU guest has; absent for a native guest, and for a QEMU with defaults only
 * @param ha what is done when its host is gone: {@link #LEAVE} or {@link #RESTART}
 */
public record VmSpec(
        String name,
        String driver,
        long memoryBytes,
        int vcpus,
        WorkloadSpec workload,
        List<DeviceSpec> devices,
        long blackoutBudgetMs,
        List<ContainerSpec> containers,
        String convergence,
        Optional<QemuSpec> qemu,
        String ha)
        implements WireMessage {
    /** Nothing: it is said that the VM is lost, and a person decides. */
    public static final String LEAVE = "leave";

    /** It is started anew from this spec on another host, once it is certain that it does not run any more. */
    public static final String RESTART = "restart";

    public VmSpec {
        devices = List.copyOf(devices);
        containers = List.copyOf(containers);
    }

    /** A VM that is no QEMU guest, or one with defaults only. */
    public VmSpec(
            String name,
            String driver,
            long memoryBytes,
            int vcpus,
            WorkloadSpec workload,
            List<DeviceSpec> devices,
            long blackoutBudgetMs,
            List<ContainerSpec> containers,
            String convergence) {
        this(
                name,
                driver,
                memoryBytes,
                vcpus,
                workload,
                devices,
                blackoutBudgetMs,
                containers,
                convergence,
                Optional.empty(),
                LEAVE);
    }

    /** A VM without vIOMMU and without a convergence policy of its own. */
    public VmSpec(
            String name,
            String driver,
            long memoryBytes,
            int vcpus,
            WorkloadSpec workload,
            List<DeviceSpec> devices,
            long blackoutBudgetMs) {
        this(name, driver, memoryBytes, vcpus, workload, devices, blackoutBudgetMs, List.of(), "");
    }

    /** Whether the guest is a process of its own, which goes on when its host's agent dies: it is QEMU's. */
    public boolean outlivesAgent() {
        return driver.equals(QemuSpec.DRIVER);
    }

    /** Whether it is to be started anew elsewhere when its host is gone. */
    public boolean restarts() {
        return ha.equals(RESTART);
    }

    /** The same VM with that policy. */
    public VmSpec withHa(String policy) {
        return new VmSpec(
                name,
                driver,
                memoryBytes,
                vcpus,
                workload,
                devices,
                blackoutBudgetMs,
                containers,
                convergence,
                qemu,
                policy);
    }

    /** The same VM with its driver settled. */
    public VmSpec withDriver(String settled) {
        return new VmSpec(
                name,
                settled,
                memoryBytes,
                vcpus,
                workload,
                devices,
                blackoutBudgetMs,
                containers,
                convergence,
                qemu,
                ha);
    }

    /** The same VM as that QEMU guest. */
    public VmSpec withQemu(QemuSpec given) {
        return new VmSpec(
                name,
                driver,
                memoryBytes,
                vcpus,
                workload,
                devices,
                blackoutBudgetMs,
                containers,
                convergence,
                Optional.of(given),
                ha);
    }

    /** The container of that name: as listed, or one without a vIOMMU. */
    public ContainerSpec container(String container) {
        return containers.stream()
                .filter(listed -> listed.name().equals(container))
                .findFirst()
                .orElseGet(() -> new ContainerSpec(container, false, 0));
    }
}
