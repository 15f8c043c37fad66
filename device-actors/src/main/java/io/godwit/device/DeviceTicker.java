package io.godwit.device;

import java.time.Duration;
import java.util.function.LongConsumer;

/** Time for a model device's engine, injected so that a test owns it. */
public interface DeviceTicker {
    /**
     * Calls {@code step} with the nanoseconds elapsed since its last call, about every {@code period}, never two at a
     * time, until the result is closed; closing returns only when no call is under way.
     */
    AutoCloseable every(Duration period, LongConsumer step);
}
