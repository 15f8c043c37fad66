package io.godwit.device;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;

/** Time that passes when a test says so. */
final class ManualTicker implements DeviceTicker {
    private final List<LongConsumer> steps = new CopyOnWriteArrayList<>();

    @Override
    public AutoCloseable every(Duration period, LongConsumer step) {
        steps.add(step);
        return () -> steps.remove(step);
    }

    void pass(long millis) {
        steps.forEach(step -> step.accept(millis * 1_000_000));
    }

    int listeners() {
        return steps.size();
    }
}
