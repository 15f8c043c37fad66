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
 * What a model device does while it runs: changes its state and writes its pinned pages, at the rates of its spec. All it
 * does follows from the time that its ticker hands it, kept in registers that are part of the state, so the destination
 * goes on where the source stood still. The owner takes {@link #lock()} around all it does with the state.
 */
final class ModelEngine implements AutoCloseable {
    /** Where the I/O virtual addresses of guest memory begin: never equal to a guest physical address. */
    static final long IOVA_BASE = 1L << 40;

    private static final long SECOND = 1_000_000_000L;
    /** Time is worked off in slices, so that nanoseconds times rate stays within 63 bits. */
    private static final long SLICE_NANOS = 10_000_000L;

    private static final long COST = GuestMemory.PAGE_SIZE * SECOND;
    private static final long RATE_MAX = (Long.MAX_VALUE - COST) / SLICE_NANOS;

    private final ReentrantLock lock = new ReentrantLock();
    private final DeviceSpec spec;
    private final GuestLayout.Range pinned;
    private final IommuSpace space;
    private final DmaPort port;
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
            IommuSpace space,
            DmaPort port,
            ModelDmaLog log,
            long seed) {
        this.spec = spec;
        this.pinned = pinned;
        this.space = space;
        this.port = port;
        this.log = log;
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
        ReportingPolicy policy = policy(spec);
        GuestLayout.Range range = layout.pinned(spec.name());
        try {
            ModelDmaLog log = new ModelDmaLog(faults);
            DmaPort port = space.attach(spec.name(), policy, log);
            try {
                if (range.bytes() > 0) {
                    long iova = IOVA_BASE + range.gpa();
                    space.map(iova, range.gpa(), range.bytes());
                    port.pin(iova, range.bytes());
                }
            } catch (IommuException e) {
                port.detach();
                throw e;
            }
            return new ModelEngine(
                    spec,
                    model,
                    range,
                    space,
                    port,
                    log,
                    ModelState.mix(range.gpa(), spec.name().hashCode()));
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
     * Loses its state. The guest's driver programs it anew from what lies in guest memory, so its count of DMA writes is
     * read back from the counters there.
     */
    void reset() throws DeviceException {
        fault = null;
        state.erase();
        config.reset();
        try {
            long sum = 0;
            for (long page = 0; page < pinned.pages() && port.pinnedPages() > 0; page++) {
                sum += port.counter(IOVA_BASE + pinned.gpa() + page * GuestMemory.PAGE_SIZE);
            }
            state.register(ModelState.Register.DMA_WRITES, sum);
        } catch (IommuException e) {
            throw new DeviceException("device " + spec.name() + ", reset: " + e.getMessage(), e);
        }
    }

    private void advance(long nanos, OnFault onFault) {
        for (long left = nanos; left > 0; left -= SLICE_NANOS) {
            long slice = Math.min(left, SLICE_NANOS);
            state.touch(due(ModelState.Register.TOUCH_CARRY, slice, spec.stateDirtyBytesPerSecond()));
            if (pinned.pages() > 0) {
                try {
                    write(due(ModelState.Register.DMA_CARRY, slice, spec.dmaBytesPerSecond()));
                } catch (IommuException e) {
                    fault = e.getMessage();
                    running = false;
                    onFault.broken();
                    return;
                }
            }
        }
    }

    /** Pages due after {@code nanos} more; what is short of a page is carried over. */
    private long due(ModelState.Register carry, long nanos, long bytesPerSecond) {
        long total = state.register(carry) + nanos * bytesPerSecond;
        state.register(carry, total % COST);
        return total / COST;
    }

    private void write(long count) throws IommuException {
        long done = state.register(ModelState.Register.DMA_WRITES);
        for (long left = count; left > 0; ) {
            long page = done % pinned.pages();
            long run = Math.min(left, pinned.pages() - page);
            port.increment(IOVA_BASE + pinned.gpa() + page * GuestMemory.PAGE_SIZE, run, log);
            done += run;
            left -= run;
            // after every run: a refused one must leave a count that is true
            state.register(ModelState.Register.DMA_WRITES, done);
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
            if (pinned.bytes() > 0) {
                space.unmap(IOVA_BASE + pinned.gpa(), pinned.bytes());
            }
            state.close();
        } catch (IommuException e) {
            throw new IllegalStateException("device " + spec.name() + ": its memory could not be unmapped", e);
        } finally {
            lock.unlock();
        }
    }
}
