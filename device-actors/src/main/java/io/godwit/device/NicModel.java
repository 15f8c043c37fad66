package io.godwit.device;

import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A model of a NIC: little state, none of it given out while it runs. Speaks only the v1 region protocol, and stands behind
 * {@link RegionDeviceAdapter}. It may pin memory and write it if its spec says so. Made standing in {@code _STOPPED}.
 */
public final class NicModel extends ModelDevice implements RegionDevice {
    /** What {@link #model()} says. */
    public static final String MODEL = "nic/1";

    private final MigrationRegion region;
    /** The fault of the access under way; under the lock. */
    private @Nullable DeviceFault fault;

    private NicModel(ModelEngine engine, DeviceFaults faults, int windowBytes) {
        super(engine, faults);
        this.region = new MigrationRegion(name, new Vendor(), windowBytes);
    }

    /**
     * Makes one with a data window of {@code windowBytes}; else as {@link V2Model#create}.
     *
     * @throws IllegalArgumentException when the spec has a size, rate or policy that it cannot have
     * @throws DeviceException when {@code space} refuses its pins
     */
    static NicModel create(
            DeviceSpec spec,
            GuestLayout layout,
            IommuSpace space,
            DeviceTicker ticker,
            Duration period,
            int windowBytes,
            DeviceFaults faults)
            throws DeviceException {
        NicModel nic =
                new NicModel(ModelEngine.create(spec, MODEL, layout, space, faults.dmaLogging()), faults, windowBytes);
        nic.engine.start(ticker, period, nic.region::broken);
        return nic;
    }

    /** What stands behind the registers; called under the lock. */
    private final class Vendor implements MigrationRegion.Vendor {
        @Override
        public void enter(int from, int to) throws DeviceException {
            if (from == MigrationRegion.RESUMING) {
                endLoad();
            }
            engine.running((to & MigrationRegion.RUNNING) != 0);
            if (to == MigrationRegion.SAVING) {
                engine.state().beginSave();
                engine.state().beginEnd();
            } else if (to == MigrationRegion.RESUMING) {
                engine.state().beginLoad();
            }
        }

        @Override
        public long pending() {
            // v1 has no other way to say that nothing more comes
            boolean ended = faults.at(DeviceOperation.READ) == DeviceFault.ENDED;
            long left = region.state() == MigrationRegion.SAVING && !ended
                    ? engine.state().outstandingBytes()
                    : 0;
            return count(left, fault);
        }

        @Override
        public void fill(ByteBuffer window) throws DeviceException {
            giveOut(window, fault);
        }

        @Override
        public void consume(ByteBuffer data) throws DeviceException {
            // v1 cannot say that it took less: what is missing is found when the next chunk comes, or none
            if (fault != DeviceFault.SHORT) {
                engine.state().write(data, fault == DeviceFault.WRONG);
            }
        }
    }

    @Override
    DeviceState standing() {
        return RegionDeviceAdapter.stateOf(region.state());
    }

    @Override
    void broken() {
        engine.running(false);
        region.broken();
    }

    @Override
    void reborn() {
        region.reset();
        engine.running(true);
    }

    @Override
    public String model() {
        return MODEL;
    }

    @Override
    public long regionBytes() {
        return region.bytes();
    }

    @Override
    public void readRegion(long offset, ByteBuffer into) throws DeviceException {
        DeviceOperation operation = reading(offset);
        if (operation == null) {
            locked(() -> {
                region.read(offset, into);
                return null;
            });
        } else {
            faulty(operation, now -> accessed(now, () -> region.read(offset, into)));
        }
    }

    /** What reading the register at {@code offset} does, if it does more than telling. */
    private @Nullable DeviceOperation reading(long offset) throws DeviceException {
        boolean saving = locked(() ->
                (region.state() & MigrationRegion.RESUMING) == 0 && (region.state() & MigrationRegion.SAVING) != 0);
        if (saving && offset == MigrationRegion.PENDING_BYTES) {
            return state().runs() ? DeviceOperation.PRECOPY_INFO : DeviceOperation.STOP_COPY_BYTES;
        }
        return saving && offset == MigrationRegion.DATA_OFFSET ? DeviceOperation.READ : null;
    }

    @Override
    public void writeRegion(long offset, ByteBuffer from) throws DeviceException {
        DeviceState now = state();
        if (offset == MigrationRegion.DEVICE_STATE && from.remaining() == Integer.BYTES) {
            int to = from.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt() & MigrationRegion.STATE_MASK;
            if (locked(() -> MigrationRegion.legal(region.state(), to))) {
                faulty(RegionDeviceAdapter.stateOf(to), wrong -> {
                    if (wrong == null) {
                        region.write(offset, from);
                    } else {
                        from.position(from.limit());
                    }
                    return null;
                });
                return;
            }
        }
        if (offset == MigrationRegion.DATA_SIZE && now == DeviceState.RESUMING) {
            faulty(DeviceOperation.WRITE, wrong -> accessed(wrong, () -> region.write(offset, from)));
            return;
        }
        locked(() -> {
            region.write(offset, from);
            return null;
        });
    }

    private interface Access {
        void run() throws DeviceException;
    }

    private @Nullable Void accessed(@Nullable DeviceFault now, Access access) throws DeviceException {
        fault = now;
        try {
            access.run();
            return null;
        } finally {
            fault = null;
        }
    }

    private DeviceState state() throws DeviceException {
        return locked(this::standing);
    }

    @Override
    public byte[] readConfig() throws DeviceException {
        return config();
    }

    @Override
    public void writeConfig(byte[] config) throws DeviceException {
        config(config);
    }
}
