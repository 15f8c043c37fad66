package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;
import java.util.List;

/**
 * What a VM is made of.
 *
 * @param name unique in the fleet
 * @param driver guest driver: {@code auto}, {@code kvm} or {@code soft}; {@code auto} is settled by the host that creates
 *     the VM and is never seen in a running VM's spec
 * @param memoryBytes guest RAM, a multiple of 2 MiB
 * @param vcpus 1 to 4
 * @param workload what the guest program does
 * @param devices VFIO devices, in slot order
 * @param blackoutBudgetMs longest standstill the owner of the VM accepts, in milliseconds
 */
public record VmSpec(
        String name,
        String driver,
        long memoryBytes,
        int vcpus,
        WorkloadSpec workload,
        List<DeviceSpec> devices,
        long blackoutBudgetMs)
        implements WireMessage {

    public VmSpec {
        devices = List.copyOf(devices);
    }

    /** The same VM with its driver settled. */
    public VmSpec withDriver(String settled) {
        return new VmSpec(name, settled, memoryBytes, vcpus, workload, devices, blackoutBudgetMs);
    }
}
