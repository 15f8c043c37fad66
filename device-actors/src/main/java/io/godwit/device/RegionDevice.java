package io.godwit.device;

import java.nio.ByteBuffer;

/**
 * A device that speaks the v1 migration protocol: {@code struct vfio_device_migration_info} (linux/vfio.h up to 5.17) at
 * the beginning of its migration region, a data window behind. All there is to migration goes through the region.
 * Called from data-plane threads, one call at a time.
 */
public interface RegionDevice extends AutoCloseable {
    /** Model name and version of its state format. */
    String model();

    /** Size of the migration region, registers and data window. */
    long regionBytes();

    /**
     * Reads the region: registers each whole and by themselves, little-endian; the data window in any piece. Fills {@code
     * into}.
     *
     * @throws DeviceException when the access is not one the protocol allows at this point
     */
    void readRegion(long offset, ByteBuffer into) throws DeviceException;

    /**
     * Writes the region; consumes {@code from}.
     *
     * @throws DeviceException when the access, or the value, is not one the protocol allows at this point; an old device
     *     state then stays, or read it back
     */
    void writeRegion(long offset, ByteBuffer from) throws DeviceException;

    /** PCI config space. */
    byte[] readConfig() throws DeviceException;

    /**
     * Restores the config space.
     *
     * @throws DeviceException when it is not of this model and version
     */
    void writeConfig(byte[] config) throws DeviceException;

    /** Resets it into {@code _RUNNING}, its state lost. */
    void reset() throws DeviceException;

    /** As {@link VfioDevice#digest()}. */
    long digest() throws DeviceException;

    /** As {@link VfioDevice#dmaWrites()}. */
    long dmaWrites();

    /** Stops and frees it. */
    @Override
    void close();
}
