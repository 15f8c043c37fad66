package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * One memory container (IOMMU address space) of a VM that is more than the default: its I/O virtual addresses stand for
 * guest physical ones as the guest itself says.
 *
 * @param name as devices name it in {@link DeviceSpec#container()}
 * @param viommu whether the guest programs a vIOMMU in front of it: devices see addresses of the guest's choice, which it
 *     maps and unmaps while they run
 * @param remapBytesPerSecond how fast the guest unmaps and maps anew what its devices have pinned; 0 for never
 */
public record ContainerSpec(String name, boolean viommu, long remapBytesPerSecond) implements WireMessage {}
