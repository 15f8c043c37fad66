package io.godwit.device;

import io.godwit.memory.DmaPort;
import io.godwit.memory.IommuException;
import io.godwit.memory.IommuSpace;
import io.godwit.memory.ReportingPolicy;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a model device does while it runs: changes its state and writes its pinned pages, at the rates of its spec, and
 * behind a vIOMMU what the guest's driver does to its mappings meanwhile ({@link ModelMappings}). All of it follows from the time that its ticker hands it, kept in registers that are part of the state, so the destination
 * goes on where the source stood still. The owner takes {@link #lock()} around all it does with the state.
 */
final class ModelEngine implements AutoCloseable {
    private static final long SECOND = 1_000_000_000L;
    /** Time is worked off in slices, so that nanoseconds times rate stays within 63 bits. */
    private static final long SLICE_NANOS = 10_000_000L;

    private static final long PAGE_COST = GuestMemory.PAGE_SIZE * SECOND;
    private static final long RATE_MAX = (Long.MAX_VALUE - PAGE_COST) / SLICE_NANOS;
    /** A guest that maps faster than this does nothing else. */
    private static final long REMAP_RATE_MAX = 64L << 30;

    private final ReentrantLock lock = new ReentrantLock();
    private final DeviceSpec spec;
    private final GuestLayout.Range pinned;
    private final long remapRate;
    private final DmaPort port;
    private final ModelMappings mappings;
    private final ModelDmaLog log;
    private final ModelState state;
    private final ModelConfig config;
    private @Nullable AutoCloseable ticking;
    private boolean running;
    private @Nullable String fault;

    /** Called when DMA was refused: the device is broken from here on. Under the lock. */
    interface OnFault {
        void broken();
    }

    private ModelEngine(
            DeviceSpec spec,
            String model,
            GuestLayout.Range pinned,
            long remapRate,
            DmaPort port,
            ModelMappings mappings,
            ModelDmaLog log) {
        this.spec = spec;
        this.pinned = pinned;
        this.remapRate = remapRate;
        this.port = port;
        this.mappings = mappings;
        this.log = log;
        long seed = ModelState.mix(pinned.gpa(), spec.name().hashCode());
        this.state = new ModelState(spec.name(), spec.stateBytes(), seed);
        this.config = new ModelConfig(spec.name(), model, spec.stateBytes(), seed);
    }

    /**
     * An engine that stands still, its memory mapped and pinned.
     *
     * @throws IllegalArgumentException when the spec has a size or rate that no model device can have
     * @throws DeviceException when its address space refuses its pins
     */
    static ModelEngine create(
            DeviceSpec spec, String model, GuestLayout layout, IommuSpace space, DmaLoggingFaults faults)
            throws DeviceException {
        check(spec, "stateBytes", spec.stateBytes(), ModelState.BYTES_MIN, Long.MAX_VALUE);
        check(spec, "stateDirtyBytesPerSecond", spec.stateDirtyBytesPerSecond(), 0, RATE_MAX);
        check(spec, "dmaBytesPerSecond", spec.dmaBytesPerSecond(), 0, RATE_MAX);
        long remapRate = layout.container(spec.container()).remapBytesPerSecond();
        check(spec, "remapBytesPerSecond of its container", remapRate, 0, REMAP_RATE_MAX);
        ReportingPolicy policy = policy(spec);
        GuestLayout.Range range = layout.pinned(spec.name());
        try {
            ModelDmaLog log = new ModelDmaLog(faults);
            DmaPort port = space.attach(spec.name(), policy, log);
            ModelMappings mappings = new ModelMappings(range, space, port);
            try {
                mappings.establish(0);
            } catch (IommuException e) {
                port.detach();
                mappings.release();
                throw e;
            }
            return new ModelEngine(spec, model, range, remapRate, port, mappings, log);
        } catch (IommuException e) {
            throw new DeviceException("device " + spec.name() + ": " + e.getMessage(), e);
        }
    }

    private static ReportingPolicy policy(DeviceSpec spec) {
        try {
            return ReportingPolicy.parse(spec.dirtyReporting());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("device " + spec.name() + ": " + e.getMessage(), e);
        }
    }

    private static void check(DeviceSpec spec, String what, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException("device " + spec.name() + ": " + what + " of " + value
                    + "; expected at least " + min + (max < Long.MAX_VALUE ? " and at most " + max : ""));
        }
    }

    /** Starts the clock that drives it. */
    void start(DeviceTicker ticker, Duration period, OnFault onFault) {
        ticking = ticker.every(period, nanos -> {
            lock.lock();
            try {
                if (running) {
                    advance(nanos, onFault);
                }
            } finally {
                lock.unlock();
            }
        });
    }

    ReentrantLock lock() {
        return lock;
    }

    ModelState state() {
        return state;
    }

    ModelConfig config() {
        return config;
    }

    DeviceSpec spec() {
        return spec;
    }

    /** Lets it work, or stand still. */
    void running(boolean on) {
        running = on && fault == null;
    }

    /** Why its DMA was refused, if it was. */
    @Nullable
    String fault() {
        return fault;
    }

    long digest() {
        return ModelState.mix(state.digest(), config.digest());
    }

    /**
     * Ends taking state in: all must have come. The guest's mappings are then where they were at the source.
     *
     * @throws DeviceException when something is missing, or the mappings cannot be had: it must not run
     */
    void endLoad() throws DeviceException {
        state.endLoad();
        try {
            mappings.moveTo(state.register(ModelState.Register.REMAPS));
        } catch (IommuException e) {
            throw new DeviceException("device " + spec.name() + " refuses its state: " + e.getMessage(), e);
        }
    }

    /**
     * Loses its state. The guest's driver programs and maps it anew from what lies in guest memory, so its count of DMA
     * writes is read back from the counters there.
     */
    void reset() throws DeviceException {
        fault = null;
        state.erase();
        config.reset();
        try {
            mappings.moveTo(0);
            long sum = 0;
            for (long page = 0; page < pinned.pages() && port.pinnedPages() > 0; page++) {
                sum += port.counter(mappings.iova(page));
            }
            state.register(ModelState.Register.DMA_WRITES, sum);
        } catch (IommuException e) {
            throw new DeviceException("device " + spec.name() + ", reset: " + e.getMessage(), e);
        }
    }

    private void advance(long nanos, OnFault onFault) {
        for (long left = nanos; left > 0; left -= SLICE_NANOS) {
            long slice = Math.min(left, SLICE_NANOS);
            long pages = GuestMemory.PAGE_SIZE;
            state.touch(due(ModelState.Register.TOUCH_CARRY, slice, spec.stateDirtyBytesPerSecond(), pages));
            if (pinned.pages() > 0) {
                try {
                    write(due(ModelState.Register.DMA_CARRY, slice, spec.dmaBytesPerSecond(), pages));
                    if (mappings.pieceBytes() > 0) {
                        remap(due(ModelState.Register.REMAP_CARRY, slice, remapRate, mappings.pieceBytes()));
                    }
                } catch (IommuException e) {
                    fault = e.getMessage();
                    running = false;
                    onFault.broken();
                    return;
                }
            }
        }
    }

    /** Units of {@code unitBytes} due after {@code nanos} more; what is short of one is carried over. */
    private long due(ModelState.Register carry, long nanos, long bytesPerSecond, long unitBytes) {
        long cost = unitBytes * SECOND;
        long total = state.register(carry) + nanos * bytesPerSecond;
        state.register(carry, total % cost);
        return total / cost;
    }

    private void write(long count) throws IommuException {
        long done = state.register(ModelState.Register.DMA_WRITES);
        for (long left = count; left > 0; ) {
            long page = done % pinned.pages();
            long run = mappings.run(page, left);
            port.increment(mappings.iova(page), run, log);
            done += run;
            left -= run;
            // after every run: a refused one must leave a count that is true
            state.register(ModelState.Register.DMA_WRITES, done);
        }
    }

    private void remap(long count) throws IommuException {
        for (long left = count; left > 0; left--) {
            state.register(ModelState.Register.REMAPS, mappings.remap());
        }
    }

    @Override
    public void close() {
        AutoCloseable ticks = ticking;
        ticking = null;
        if (ticks != null) {
            try {
                ticks.close();
            } catch (Exception e) {
                throw new IllegalStateException("device " + spec.name() + ": its ticker did not close", e);
            }
        }
        lock.lock();
        try {
            running = false;
            port.detach();
            mappings.release();
            state.close();
        } catch (IommuException e) {
            throw new IllegalStateException("device " + spec.name() + ": its memory could not be unmapped", e);
        } finally {
            lock.unlock();
        }
    }
}
