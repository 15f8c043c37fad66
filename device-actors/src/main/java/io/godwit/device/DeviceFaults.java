package io.godwit.device;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Faults of a model device that can be switched on while it works, for tests and chaos runs; all off at first. One fault at
 * a time for each operation and each step; a switch stays on until {@link #clear()}. Safe for any thread.
 */
public final class DeviceFaults {
    private static final Set<DeviceFault> OF_STEPS =
            EnumSet.of(DeviceFault.FAIL, DeviceFault.BREAK, DeviceFault.STALL, DeviceFault.WRONG);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** By operation, or state that a step is to lead into. Guarded by the lock. */
    private final Map<Enum<?>, DeviceFault> on = new HashMap<>();

    private final DmaLoggingFaults dmaLogging = new DmaLoggingFaults();
    private int stalled;

    /**
     * {@code operation} has {@code fault} from now on.
     *
     * @throws IllegalArgumentException when it cannot have that fault
     */
    public void on(DeviceOperation operation, DeviceFault fault) {
        put(operation, fault, operation.faults());
    }

    /**
     * Steps into {@code next} have {@code fault} from now on.
     *
     * @throws IllegalArgumentException when a step cannot have that fault
     */
    public void on(DeviceState next, DeviceFault fault) {
        put(next, fault, OF_STEPS);
    }

    private void put(Enum<?> point, DeviceFault fault, Set<DeviceFault> possible) {
        if (!possible.contains(fault)) {
            throw new IllegalArgumentException(
                    point + " cannot be made " + fault + "; expected one of " + EnumSet.copyOf(possible));
        }
        lock.lock();
        try {
            on.put(point, fault);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Faults of its log of DMA writes; {@link #clear()} switches them off too. */
    public DmaLoggingFaults dmaLogging() {
        return dmaLogging;
    }

    /** Everything works again, and what stalls goes on. */
    public void clear() {
        dmaLogging.clear();
        lock.lock();
        try {
            on.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** How many calls stall right now. */
    public int stalled() {
        lock.lock();
        try {
            return stalled;
        } finally {
            lock.unlock();
        }
    }

    /** The fault that is on, if any. */
    @Nullable
    DeviceFault at(Enum<?> point) {
        lock.lock();
        try {
            return on.get(point);
        } finally {
            lock.unlock();
        }
    }

    /**
     * As {@link #at}, after any stall: blocks while one is on and the device is not {@code closed}. To be called without a
     * lock that the device's engine or its close wants.
     *
     * @throws DeviceException when the thread is interrupted meanwhile
     */
    @Nullable
    DeviceFault await(Enum<?> point, BooleanSupplier closed) throws DeviceException {
        lock.lock();
        try {
            // seen by others only while it waits
            stalled++;
            while (on.get(point) == DeviceFault.STALL && !closed.getAsBoolean()) {
                changed.await();
            }
            return on.get(point);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DeviceException("interrupted while it stalled in " + point, e);
        } finally {
            stalled--;
            lock.unlock();
        }
    }

    /** A device has been closed: what of it stalls goes on. */
    void closed() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
