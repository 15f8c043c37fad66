package io.godwit.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A v1 device made to look like one of protocol v2. Each v2 step is one write of device_state, read back when it failed;
 * each v2 read one round of the region's registers. A v1 device has no P2P states; all have pre-copy, and opt out by
 * pending_bytes of 0. None of what it gives out is initial data: v1 does not tell.
 */
public final class RegionDeviceAdapter implements VfioDevice {
    /** What every v1 device has. */
    static final DeviceCapabilities CAPABILITIES = new DeviceCapabilities(true, false);

    private final String name;
    private final RegionDevice device;
    private final long stopCopyEstimate;
    private final ByteBuffer register = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private boolean announced;
    private long pending;

    /**
     * Stands in front of {@code device}.
     *
     * @param stopCopyEstimate bytes the device will give out when it stands still: v1 cannot be asked while it runs, and a
     *     prediction that leaves them out would be too good
     */
    public RegionDeviceAdapter(String name, RegionDevice device, long stopCopyEstimate) {
        this.name = name;
        this.device = device;
        this.stopCopyEstimate = stopCopyEstimate;
    }

    /** The v2 state of these v1 bits; the invalid ones count as ERROR. */
    static DeviceState stateOf(int bits) {
        return switch (bits & MigrationRegion.STATE_MASK) {
            case MigrationRegion.STOPPED -> DeviceState.STOP;
            case MigrationRegion.RUNNING -> DeviceState.RUNNING;
            case MigrationRegion.SAVING -> DeviceState.STOP_COPY;
            case MigrationRegion.RUNNING | MigrationRegion.SAVING -> DeviceState.PRE_COPY;
            case MigrationRegion.RESUMING -> DeviceState.RESUMING;
            default -> DeviceState.ERROR;
        };
    }

    private static int bitsOf(DeviceState state) {
        return switch (state) {
            case STOP -> MigrationRegion.STOPPED;
            case RUNNING, RUNNING_P2P -> MigrationRegion.RUNNING;
            case STOP_COPY -> MigrationRegion.SAVING;
            case PRE_COPY, PRE_COPY_P2P -> MigrationRegion.RUNNING | MigrationRegion.SAVING;
            case RESUMING -> MigrationRegion.RESUMING;
            case ERROR -> MigrationRegion.ERROR;
        };
    }

    @Override
    public String model() {
        return device.model();
    }

    @Override
    public boolean supportsPreCopy() {
        return CAPABILITIES.preCopy();
    }

    @Override
    public boolean supportsP2p() {
        return CAPABILITIES.p2p();
    }

    @Override
    public DeviceState state() {
        try {
            return stateOf((int) get(MigrationRegion.DEVICE_STATE, Integer.BYTES));
        } catch (DeviceException e) {
            // a device whose state cannot be read is not one to go on with
            return DeviceState.ERROR;
        }
    }

    @Override
    public void step(DeviceState next) throws DeviceException {
        DeviceState now = state();
        if (!MigTransitions.isStep(now, next, true, false)) {
            throw new DeviceException("device " + name + ": no single step leads from " + now + " to " + next);
        }
        // bits 3 to 31 belong to the device: read, change, write
        int old = (int) get(MigrationRegion.DEVICE_STATE, Integer.BYTES);
        register.clear();
        register.putInt((old & ~MigrationRegion.STATE_MASK) | bitsOf(next)).flip();
        announced = false;
        device.writeRegion(MigrationRegion.DEVICE_STATE, register);
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        return new PrecopyInfo(0, precopyBytes());
    }

    private long precopyBytes() throws DeviceException {
        return state() == DeviceState.PRE_COPY ? pendingBytes() : 0;
    }

    @Override
    public long stopCopyBytes() throws DeviceException {
        DeviceState now = state();
        if (now == DeviceState.STOP_COPY) {
            return pendingBytes();
        }
        return Math.max(stopCopyEstimate, precopyBytes());
    }

    /** Reading it begins a round, and acknowledges the chunk of the one before; within a round it is read once. */
    private long pendingBytes() throws DeviceException {
        if (!announced) {
            pending = get(MigrationRegion.PENDING_BYTES, Long.BYTES);
            if (pending < 0) {
                throw new DeviceException("device " + name + " says that " + Long.toUnsignedString(pending)
                        + " bytes are pending; expected less than 2^63");
            }
            announced = pending > 0;
        }
        return pending;
    }

    @Override
    public int read(ByteBuffer into) throws DeviceException {
        DeviceState now = state();
        if (now != DeviceState.PRE_COPY && now != DeviceState.STOP_COPY) {
            throw new DeviceException(
                    "device " + name + " gives out its state in PRE_COPY or STOP_COPY; it stands in " + now);
        }
        // while it runs an old figure may be stale, and reading it again before data_offset is harmless
        announced = announced && now == DeviceState.STOP_COPY;
        if (pendingBytes() == 0) {
            return now == DeviceState.PRE_COPY ? 0 : -1;
        }
        long window = device.regionBytes();
        long offset = get(MigrationRegion.DATA_OFFSET, Long.BYTES);
        long size = get(MigrationRegion.DATA_SIZE, Long.BYTES);
        if (offset < 0 || size <= 0 || offset > window - size) {
            throw new DeviceException("device " + name + " offers " + size + " bytes at " + offset
                    + " of a migration region of " + window);
        }
        if (size > into.remaining()) {
            throw new DeviceException(
                    "device " + name + " offers a chunk of " + size + " bytes; there is room for " + into.remaining());
        }
        int limit = into.limit();
        into.limit(into.position() + (int) size);
        try {
            device.readRegion(offset, into);
        } finally {
            into.limit(limit);
        }
        announced = false;
        pendingBytes();
        return (int) size;
    }

    @Override
    public void write(ByteBuffer chunk) throws DeviceException {
        requireResuming("takes state in");
        int size = chunk.remaining();
        long offset = get(MigrationRegion.DATA_OFFSET, Long.BYTES);
        if (offset < 0 || offset > device.regionBytes() - size) {
            throw new DeviceException("device " + name + " refuses a chunk of " + size
                    + " bytes; its data window holds " + Math.max(0, device.regionBytes() - offset));
        }
        device.writeRegion(offset, chunk);
        register.clear();
        register.putLong(size).flip();
        device.writeRegion(MigrationRegion.DATA_SIZE, register);
    }

    @Override
    public byte[] saveConfig() throws DeviceException {
        DeviceState now = state();
        if (now.runs()) {
            throw new DeviceException("device " + name + " saves its config space when it stands still; it is " + now);
        }
        return device.readConfig();
    }

    @Override
    public void loadConfig(byte[] config) throws DeviceException {
        requireResuming("restores its config space");
        device.writeConfig(config);
    }

    private void requireResuming(String what) throws DeviceException {
        DeviceState now = state();
        if (now != DeviceState.RESUMING) {
            throw new DeviceException("device " + name + " " + what + " in RESUMING; it stands in " + now);
        }
    }

    @Override
    public long digest() throws DeviceException {
        return device.digest();
    }

    @Override
    public void reset() throws DeviceException {
        announced = false;
        device.reset();
    }

    @Override
    public long dmaWrites() {
        return device.dmaWrites();
    }

    @Override
    public void close() {
        device.close();
    }

    private long get(int offset, int bytes) throws DeviceException {
        register.clear().limit(bytes);
        device.readRegion(offset, register);
        register.flip();
        return bytes == Integer.BYTES ? register.getInt() : register.getLong();
    }
}
