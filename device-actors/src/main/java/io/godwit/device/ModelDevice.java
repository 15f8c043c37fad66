package io.godwit.device;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the model devices of both protocols have in common: the engine's lock around all they do, their faults, config space,
 * reset, digest and end. A call that stalls does so before it takes the lock, so neither the ticker nor the close waits
 * for it.
 */
abstract class ModelDevice implements AutoCloseable {
    final ModelEngine engine;
    final DeviceFaults faults;
    final String name;
    private volatile boolean closed;

    /** What is done under the lock. */
    interface Body<T extends @Nullable Object> {
        T run() throws DeviceException;
    }

    /** As {@link Body}; {@code fault} is SHORT, ENDED or WRONG if one of these is switched on. */
    interface FaultyBody<T extends @Nullable Object> {
        T run(@Nullable DeviceFault fault) throws DeviceException;
    }

    ModelDevice(ModelEngine engine, DeviceFaults faults) {
        this.engine = engine;
        this.faults = faults;
        this.name = engine.spec().name();
    }

    /** Where it stands, as protocol v2 calls it; under the lock. */
    abstract DeviceState standing();

    /** Stands in ERROR from here on; under the lock. */
    abstract void broken();

    /** Stands in RUNNING after a reset; under the lock. */
    abstract void reborn();

    final <T extends @Nullable Object> T locked(Body<T> body) throws DeviceException {
        engine.lock().lock();
        try {
            if (closed) {
                throw new DeviceException("device " + name + " is closed");
            }
            return body.run();
        } finally {
            engine.lock().unlock();
        }
    }

    /** Does {@code body}, or what the fault at {@code operation} makes of it. */
    final <T extends @Nullable Object> T faulty(DeviceOperation operation, FaultyBody<T> body) throws DeviceException {
        return faulty(operation, operation.what(), body);
    }

    /** As the other, for a step into {@code next}. */
    final <T extends @Nullable Object> T faulty(DeviceState next, FaultyBody<T> body) throws DeviceException {
        return faulty(next, "the step to " + next, body);
    }

    private <T extends @Nullable Object> T faulty(Enum<?> point, String what, FaultyBody<T> body)
            throws DeviceException {
        DeviceFault fault = faults.await(point, () -> closed);
        return locked(() -> {
            if (fault == DeviceFault.FAIL) {
                throw new DeviceException("device " + name + ": " + what + " failed (fault switched on)");
            }
            if (fault == DeviceFault.BREAK) {
                broken();
                throw new DeviceException("device " + name + " broke in " + what + " (fault switched on)");
            }
            return body.run(fault);
        });
    }

    /** A count with its fault, if it has one. */
    static long count(long bytes, @Nullable DeviceFault fault) {
        return fault == DeviceFault.SHORT ? bytes / 2 : fault == DeviceFault.WRONG ? -1 : bytes;
    }

    /** The next chunk, with its fault, if it has one; as {@link VfioDevice#read}. */
    final int giveOut(ByteBuffer into, @Nullable DeviceFault fault) throws DeviceException {
        if (fault == DeviceFault.ENDED) {
            return standing() == DeviceState.STOP_COPY ? -1 : 0;
        }
        int given = engine.state().read(into);
        if (given > 0 && fault == DeviceFault.SHORT) {
            into.position(into.position() - 1);
            return given - 1;
        }
        if (given > 0 && fault == DeviceFault.WRONG) {
            int last = into.position() - 1;
            into.put(last, (byte) ~into.get(last));
        }
        return given;
    }

    /** Ends taking in. */
    final void endLoad() throws DeviceException {
        try {
            engine.endLoad();
        } catch (DeviceException e) {
            // half a state must never run
            broken();
            throw e;
        }
    }

    final byte[] config() throws DeviceException {
        return faulty(DeviceOperation.SAVE_CONFIG, fault -> {
            byte[] config = engine.config().save();
            if (fault == DeviceFault.SHORT) {
                return Arrays.copyOf(config, config.length / 2);
            }
            if (fault == DeviceFault.WRONG) {
                config[config.length / 2] ^= 1;
            }
            return config;
        });
    }

    final void config(byte[] config) throws DeviceException {
        faulty(DeviceOperation.LOAD_CONFIG, fault -> {
            engine.config().load(config);
            if (fault == DeviceFault.WRONG) {
                engine.config().spoil();
            }
            return null;
        });
    }

    /** As {@link VfioDevice#reset()}. */
    public final void reset() throws DeviceException {
        faulty(DeviceOperation.RESET, fault -> {
            if (fault == null) {
                engine.running(false);
                engine.reset();
                reborn();
            }
            return null;
        });
    }

    /** As {@link VfioDevice#digest()}. */
    public final long digest() throws DeviceException {
        return faulty(DeviceOperation.DIGEST, fault -> {
            require(!standing().runs(), "digests its state", "a state in which it stands still");
            return fault == DeviceFault.WRONG ? ~engine.digest() : engine.digest();
        });
    }

    final void require(boolean holds, String what, String expected) throws DeviceException {
        if (!holds) {
            throw new DeviceException(
                    "device " + name + " " + what + " in " + expected + "; it stands in " + standing() + fault());
        }
    }

    /** Why it has broken by itself, in brackets, if it has. */
    final String fault() {
        String why = engine.fault();
        return why == null ? "" : " (" + why + ")";
    }

    /** As {@link VfioDevice#dmaWrites()}. */
    public final long dmaWrites() {
        engine.lock().lock();
        try {
            return closed ? 0 : engine.state().register(ModelState.Register.DMA_WRITES);
        } finally {
            engine.lock().unlock();
        }
    }

    /** Stops its engine and frees it; what stalls in it ends. */
    @Override
    public final void close() {
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
        faults.closed();
        // not under the lock: closing the ticker waits for a tick, which wants it
        engine.close();
    }
}
