package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * One VFIO device of a VM.
 *
 * @param name unique in the VM
 * @param model device model, also the name of the host's device pool it is taken from, such as {@code gpu} or {@code
 *     vnic}
 * @param container name of the memory container (IOMMU address space) it sits in
 * @param stateBytes size of the device's own state
 * @param stateDirtyBytesPerSecond how fast that state changes while the device runs
 * @param pinnedBytes guest memory it pins for DMA, a multiple of 4 KiB
 * @param dmaBytesPerSecond how fast it writes that memory
 * @param dirtyReporting {@code PERSISTENT}, {@code HARDWARE_TRACKED} or {@code STOP_COPY_ONLY}
 */
public record DeviceSpec(
        String name,
        String model,
        String container,
        long stateBytes,
        long stateDirtyBytesPerSecond,
        long pinnedBytes,
        long dmaBytesPerSecond,
        String dirtyReporting)
        implements WireMessage {}
