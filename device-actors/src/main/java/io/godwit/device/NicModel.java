package io.godwit.device;

import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A model of a NIC: little state, none of it given out while it runs. Speaks only the v1 region protocol, and stands behind
 * {@link RegionDeviceAdapter}. It may pin memory and write it if its spec says so. Made standing in {@code _STOPPED}.
 */
public final class NicModel implements RegionDevice {
    /** What {@link #model()} says. */
    public static final String MODEL = "nic/1";

    private final ModelEngine engine;
    private final DeviceFaults faults;
    private final String name;
    private final MigrationRegion region;
    private boolean closed;

    private NicModel(ModelEngine engine, DeviceFaults faults, int windowBytes) {
        this.engine = engine;
        this.faults = faults;
        this.name = engine.spec().name();
        this.region = new MigrationRegion(name, new Vendor(), windowBytes);
    }

    /**
     * Makes one with a data window of {@code windowBytes}; else as {@link GpuModel#create}.
     *
     * @throws IllegalArgumentException when the spec has a size, rate or policy that it cannot have
     * @throws DeviceException when {@code space} refuses its pins
     */
    public static NicModel create(
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
            DeviceState next = RegionDeviceAdapter.stateOf(to);
            if (faults.breaks(next)) {
                engine.running(false);
                region.broken();
                throw new DeviceException("device " + name + " broke on its way to " + next + " (fault switched on)");
            }
            if (faults.refuses(next)) {
                throw new DeviceException("device " + name + ": the way to " + next + " failed (fault switched on)");
            }
            if (from == MigrationRegion.RESUMING) {
                try {
                    engine.endLoad();
                } catch (DeviceException e) {
                    // half a state must never run
                    region.broken();
                    throw e;
                }
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
            return region.state() == MigrationRegion.SAVING ? engine.state().outstandingBytes() : 0;
        }

        @Override
        public void fill(ByteBuffer window) throws DeviceException {
            faults.beforeRead(name);
            engine.state().read(window);
        }

        @Override
        public void consume(ByteBuffer data) throws DeviceException {
            faults.beforeWrite(name);
            engine.state().write(data);
        }
    }

    private interface Body<T> {
        T run() throws DeviceException;
    }

    private <T extends @Nullable Object> T locked(Body<T> body) throws DeviceException {
        ReentrantLock lock = engine.lock();
        lock.lock();
        try {
            if (closed) {
                throw new DeviceException("device " + name + " is closed");
            }
            return body.run();
        } finally {
            lock.unlock();
        }
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
        locked(() -> {
            region.read(offset, into);
            return null;
        });
    }

    @Override
    public void writeRegion(long offset, ByteBuffer from) throws DeviceException {
        locked(() -> {
            region.write(offset, from);
            return null;
        });
    }

    @Override
    public byte[] readConfig() throws DeviceException {
        return locked(() -> engine.config().save());
    }

    @Override
    public void writeConfig(byte[] config) throws DeviceException {
        locked(() -> {
            faults.beforeLoadConfig(name);
            engine.config().load(config);
            return null;
        });
    }

    @Override
    public void reset() throws DeviceException {
        locked(() -> {
            engine.running(false);
            engine.reset();
            region.reset();
            engine.running(true);
            return null;
        });
    }

    @Override
    public long digest() throws DeviceException {
        return locked(() -> {
            if ((region.state() & MigrationRegion.RUNNING) != 0) {
                throw new DeviceException("device " + name + " digests its state when it stands still, and it runs");
            }
            return engine.digest();
        });
    }

    @Override
    public long dmaWrites() {
        engine.lock().lock();
        try {
            return closed ? 0 : engine.state().register(ModelState.Register.DMA_WRITES);
        } finally {
            engine.lock().unlock();
        }
    }

    @Override
    public void close() {
        engine.lock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            engine.running(false);
        } finally {
            engine.lock().unlock();
        }
        // not under the lock: closing the ticker waits for a tick, which wants it
        engine.close();
    }
}
