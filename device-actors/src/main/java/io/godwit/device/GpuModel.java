package io.godwit.device;

import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A model of a GPU: much state that changes while it runs, and DMA into memory that it has pinned. Speaks protocol v2 with
 * pre-copy (all of its state once, a first table of it as initial data, then what has changed since) and P2P. It is made
 * standing in STOP: its VM does not run yet. Read {@link StateBlock} for its stream.
 */
public final class GpuModel implements VfioDevice {
    /** What {@link #model()} says. */
    public static final String MODEL = "gpu/1";

    private final ModelEngine engine;
    private final DeviceFaults faults;
    private final String name;
    private DeviceState state = DeviceState.STOP;
    private boolean closed;

    private GpuModel(ModelEngine engine, DeviceFaults faults) {
        this.engine = engine;
        this.faults = faults;
        this.name = engine.spec().name();
    }

    /**
     * Makes one, its memory pinned in {@code space}; {@code ticker} calls it about every {@code period}.
     *
     * @throws IllegalArgumentException when the spec has a size, rate or policy that it cannot have
     * @throws DeviceException when {@code space} refuses its pins
     */
    public static GpuModel create(
            DeviceSpec spec,
            GuestLayout layout,
            IommuSpace space,
            DeviceTicker ticker,
            Duration period,
            DeviceFaults faults)
            throws DeviceException {
        GpuModel gpu = new GpuModel(ModelEngine.create(spec, MODEL, layout, space, faults.dmaLogging()), faults);
        gpu.engine.start(ticker, period, () -> gpu.state = DeviceState.ERROR);
        return gpu;
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
    public boolean supportsPreCopy() {
        return true;
    }

    @Override
    public boolean supportsP2p() {
        return true;
    }

    @Override
    public DeviceState state() {
        engine.lock().lock();
        try {
            return state;
        } finally {
            engine.lock().unlock();
        }
    }

    @Override
    public void step(DeviceState next) throws DeviceException {
        locked(() -> {
            if (!MigTransitions.isStep(state, next, true, true)) {
                throw new DeviceException(
                        "device " + name + ": no single step leads from " + state + " to " + next + fault());
            }
            if (faults.breaks(next)) {
                stand(DeviceState.ERROR);
                throw new DeviceException("device " + name + " broke on its way to " + next + " (fault switched on)");
            }
            if (faults.refuses(next)) {
                throw new DeviceException(
                        "device " + name + ": " + state + " to " + next + " failed (fault switched on)");
            }
            if (state == DeviceState.RESUMING) {
                endLoad();
            }
            if (gives(next) && !gives(state)) {
                engine.state().beginSave();
            }
            if (next == DeviceState.RESUMING) {
                engine.state().beginLoad();
            }
            stand(next);
            if (next == DeviceState.STOP_COPY) {
                engine.state().beginEnd();
            }
            return null;
        });
    }

    private void endLoad() throws DeviceException {
        try {
            engine.endLoad();
        } catch (DeviceException e) {
            // half a state must never run
            stand(DeviceState.ERROR);
            throw e;
        }
    }

    private void stand(DeviceState next) {
        state = next;
        engine.running(next.runs());
    }

    private static boolean gives(DeviceState state) {
        return switch (state) {
            case PRE_COPY, PRE_COPY_P2P, STOP_COPY -> true;
            case ERROR, STOP, RUNNING, RESUMING, RUNNING_P2P -> false;
        };
    }

    private String fault() {
        String why = engine.fault();
        return why == null ? "" : " (" + why + ")";
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        return locked(() -> gives(state) && state.runs() ? engine.state().precopyInfo() : PrecopyInfo.NONE);
    }

    @Override
    public long stopCopyBytes() throws DeviceException {
        return locked(() -> gives(state)
                ? engine.state().outstandingBytes()
                : engine.state().bytes());
    }

    @Override
    public int read(ByteBuffer into) throws DeviceException {
        return locked(() -> {
            require(gives(state), "gives out its state", "PRE_COPY, PRE_COPY_P2P or STOP_COPY");
            faults.beforeRead(name);
            return engine.state().read(into);
        });
    }

    @Override
    public void write(ByteBuffer chunk) throws DeviceException {
        locked(() -> {
            require(state == DeviceState.RESUMING, "takes state in", "RESUMING");
            faults.beforeWrite(name);
            engine.state().write(chunk);
            return null;
        });
    }

    @Override
    public byte[] saveConfig() throws DeviceException {
        return locked(() -> {
            require(!state.runs(), "saves its config space", "a state in which it stands still");
            return engine.config().save();
        });
    }

    @Override
    public void loadConfig(byte[] config) throws DeviceException {
        locked(() -> {
            require(state == DeviceState.RESUMING, "restores its config space", "RESUMING");
            faults.beforeLoadConfig(name);
            engine.config().load(config);
            return null;
        });
    }

    @Override
    public long digest() throws DeviceException {
        return locked(() -> {
            require(!state.runs(), "digests its state", "a state in which it stands still");
            return engine.digest();
        });
    }

    private void require(boolean holds, String what, String expected) throws DeviceException {
        if (!holds) {
            throw new DeviceException(
                    "device " + name + " " + what + " in " + expected + "; it stands in " + state + fault());
        }
    }

    @Override
    public void reset() throws DeviceException {
        locked(() -> {
            engine.running(false);
            engine.reset();
            stand(DeviceState.RUNNING);
            return null;
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
