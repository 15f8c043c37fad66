package io.godwit.device;

import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A model of a device that speaks protocol v2: state that changes while it runs, and DMA into memory that it has pinned.
 * With pre-copy it gives out all of its state once, a first table of it as initial data, then what has changed since; P2P
 * it may have or not. It is made standing in STOP: its VM does not run yet. Read {@link StateBlock} for its stream.
 */
public final class V2Model extends ModelDevice implements VfioDevice {
    private final String model;
    private final DeviceCapabilities capabilities;
    private DeviceState state = DeviceState.STOP;

    private V2Model(String model, DeviceCapabilities capabilities, ModelEngine engine, DeviceFaults faults) {
        super(engine, faults);
        this.model = model;
        this.capabilities = capabilities;
    }

    /**
     * Makes one, its memory pinned in {@code space}; {@code ticker} calls it about every {@code period}.
     *
     * @param model what {@link #model()} says
     * @throws IllegalArgumentException when the spec has a size, rate or policy that it cannot have
     * @throws DeviceException when {@code space} refuses its pins
     */
    static V2Model create(
            String model,
            DeviceCapabilities capabilities,
            DeviceSpec spec,
            GuestLayout layout,
            IommuSpace space,
            DeviceTicker ticker,
            Duration period,
            DeviceFaults faults)
            throws DeviceException {
        V2Model device = new V2Model(
                model, capabilities, ModelEngine.create(spec, model, layout, space, faults.dmaLogging()), faults);
        device.engine.start(ticker, period, () -> device.state = DeviceState.ERROR);
        return device;
    }

    @Override
    DeviceState standing() {
        return state;
    }

    @Override
    void broken() {
        stand(DeviceState.ERROR);
    }

    @Override
    void reborn() {
        stand(DeviceState.RUNNING);
    }

    private void stand(DeviceState next) {
        state = next;
        engine.running(next.runs());
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public boolean supportsPreCopy() {
        return capabilities.preCopy();
    }

    @Override
    public boolean supportsP2p() {
        return capabilities.p2p();
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
            requireStep(next);
            return null;
        });
        faulty(next, fault -> {
            // it may have broken while it stalled
            requireStep(next);
            if (fault == null) {
                move(next);
            }
            return null;
        });
    }

    private void requireStep(DeviceState next) throws DeviceException {
        if (!MigTransitions.isStep(state, next, capabilities.preCopy(), capabilities.p2p())) {
            throw new DeviceException(
                    "device " + name + ": no single step leads from " + state + " to " + next + fault());
        }
    }

    private void move(DeviceState next) throws DeviceException {
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
    }

    private static boolean gives(DeviceState state) {
        return switch (state) {
            case PRE_COPY, PRE_COPY_P2P, STOP_COPY -> true;
            case ERROR, STOP, RUNNING, RESUMING, RUNNING_P2P -> false;
        };
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        return faulty(DeviceOperation.PRECOPY_INFO, fault -> {
            PrecopyInfo info = gives(state) && state.runs() ? engine.state().precopyInfo() : PrecopyInfo.NONE;
            return new PrecopyInfo(count(info.initialBytes(), fault), count(info.dirtyBytes(), fault));
        });
    }

    @Override
    public long stopCopyBytes() throws DeviceException {
        return faulty(
                DeviceOperation.STOP_COPY_BYTES,
                fault -> count(
                        gives(state)
                                ? engine.state().outstandingBytes()
                                : engine.state().bytes(),
                        fault));
    }

    @Override
    public int read(ByteBuffer into) throws DeviceException {
        return faulty(DeviceOperation.READ, fault -> {
            require(gives(state), "gives out its state", "PRE_COPY, PRE_COPY_P2P or STOP_COPY");
            return giveOut(into, fault);
        });
    }

    @Override
    public void write(ByteBuffer chunk) throws DeviceException {
        faulty(DeviceOperation.WRITE, fault -> {
            require(state == DeviceState.RESUMING, "takes state in", "RESUMING");
            if (fault == DeviceFault.SHORT) {
                chunk.position(chunk.position() + chunk.remaining() / 2);
            } else {
                engine.state().write(chunk, fault == DeviceFault.WRONG);
            }
            return null;
        });
    }

    @Override
    public byte[] saveConfig() throws DeviceException {
        locked(() -> {
            require(!state.runs(), "saves its config space", "a state in which it stands still");
            return null;
        });
        return config();
    }

    @Override
    public void loadConfig(byte[] config) throws DeviceException {
        locked(() -> {
            require(state == DeviceState.RESUMING, "restores its config space", "RESUMING");
            return null;
        });
        config(config);
    }
}
