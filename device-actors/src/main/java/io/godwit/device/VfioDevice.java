package io.godwit.device;

import java.nio.ByteBuffer;

/**
 * One VFIO device as its Device actor sees it: protocol v2 (linux/vfio.h, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE). A device
 * that speaks the v1 region protocol stands behind {@link RegionDeviceAdapter}. Called from data-plane threads, one call
 * at a time; it may block. A device whose vendor driver fails throws and may stand anywhere on the way: read {@link
 * #state()}.
 */
public interface VfioDevice extends AutoCloseable {
    /** Model name and version of its state format, such as {@code gpu/1}: the destination's must be equal. */
    String model();

    /** Whether it can give out state while it runs. */
    boolean supportsPreCopy();

    /** Whether it has the P2P states. */
    boolean supportsP2p();

    /** Where it stands. */
    DeviceState state();

    /**
     * One single step of the state machine.
     *
     * @throws DeviceException when the step is not a legal arc, or the device could not take it
     */
    void step(DeviceState next) throws DeviceException;

    /** What it has still to give out while it runs; nothing opts out of pre-copy. Nothing outside PRE_COPY states. */
    PrecopyInfo precopyInfo() throws DeviceException;

    /** Bytes it would give out if it were stopped now; in STOP_COPY what is left. */
    long stopCopyBytes() throws DeviceException;

    /**
     * Reads state into {@code into}, in PRE_COPY states and STOP_COPY.
     *
     * @return bytes read; 0 when there is nothing more for now (PRE_COPY), -1 at the end (STOP_COPY)
     */
    int read(ByteBuffer into) throws DeviceException;

    /** Takes in state, in RESUMING: the chunks in the order and sizes in which they were read. */
    void write(ByteBuffer chunk) throws DeviceException;

    /** Device config space (PCI config, MSI vectors), saved when stopped. */
    byte[] saveConfig() throws DeviceException;

    /**
     * Restores the config space, in RESUMING.
     *
     * @throws DeviceException when it is not of this model and version
     */
    void loadConfig(byte[] config) throws DeviceException;

    /** Digest of its whole state and config, standing still; equal on both sides exactly if the state is. */
    long digest() throws DeviceException;

    /** Resets it: the only way out of ERROR. It stands in RUNNING afterwards, its state lost. */
    void reset() throws DeviceException;

    /** Additions its DMA has counted by the {@link io.godwit.vm.WriteRule}; 0 for a device without DMA. */
    long dmaWrites();

    /** Stops its engine and frees it. */
    @Override
    void close();
}
