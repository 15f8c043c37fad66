package io.godwit.memory;

/** A device's own record of what its DMA writes. */
@FunctionalInterface
public interface DmaWrites {
    /** Of a device that keeps none. */
    DmaWrites UNRECORDED = (_, _) -> {};

    /**
     * The range has been written. Called after the store and before the range can be unmapped, so that whoever reads the
     * record in an unmap finds it; it must not block.
     */
    void wrote(long iova, long bytes);
}
