package io.godwit.agent.lease;

import io.godwit.proto.MonotonicClock;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * CLOCK_BOOTTIME (clock_gettime(2)): monotonic as {@link System#nanoTime()}, but it goes on while the machine is suspended. A
 * host that sleeps for an hour must not take its leases for fresh when it wakes.
 */
public final class SuspendClock implements MonotonicClock {
    /** linux/time.h. */
    private static final int CLOCK_BOOTTIME = 7;

    @SuppressWarnings("restricted")
    private static final MethodHandle CLOCK_GETTIME = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS),
                    // it returns at once and calls nothing back, so it may be given memory of the heap
                    Linker.Option.critical(true));

    private SuspendClock() {}

    /** That clock; where the kernel has none of that kind, {@link System#nanoTime()}. */
    public static MonotonicClock open() {
        SuspendClock clock = new SuspendClock();
        try {
            var _ = clock.nanoTime();
            return clock;
        } catch (IllegalStateException e) {
            return System::nanoTime;
        }
    }

    @Override
    public long nanoTime() {
        long[] time = new long[2];
        try {
            // struct timespec: seconds, nanoseconds
            int result = (int) CLOCK_GETTIME.invokeExact(CLOCK_BOOTTIME, MemorySegment.ofArray(time));
            if (result != 0) {
                throw new IllegalStateException("clock_gettime(CLOCK_BOOTTIME) returned " + result);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        return time[0] * 1_000_000_000L + time[1];
    }
}
