package io.godwit.agent;

import io.godwit.device.DeviceTicker;
import io.godwit.proto.MonotonicClock;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Time for model devices from a scheduled executor, which may serve many of them. */
public final class ScheduledDeviceTicker implements DeviceTicker {
    private static final Logger LOG = LoggerFactory.getLogger(ScheduledDeviceTicker.class);

    private final ScheduledExecutorService executor;
    private final MonotonicClock clock;

    /** Over an executor that its owner shuts down. */
    public ScheduledDeviceTicker(ScheduledExecutorService executor, MonotonicClock clock) {
        this.executor = executor;
        this.clock = clock;
    }

    @Override
    public AutoCloseable every(Duration period, LongConsumer step) {
        if (!period.isPositive()) {
            throw new IllegalArgumentException("a tick every " + period + "; expected a period above zero");
        }
        Tick tick = new Tick(step);
        // delay, not rate: after a stall one step with the whole time is wanted, not a burst of steps
        ScheduledFuture<?> scheduled =
                executor.scheduleWithFixedDelay(tick, period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
        return () -> {
            scheduled.cancel(false);
            tick.close();
        };
    }

    private final class Tick implements Runnable {
        private final LongConsumer step;
        private final ReentrantLock stepping = new ReentrantLock(); // reentrant: a step may close its own ticker
        private long last = clock.nanoTime();
        private boolean closed;

        Tick(LongConsumer step) {
            this.step = step;
        }

        @Override
        public void run() {
            stepping.lock();
            try {
                if (!closed) {
                    long now = clock.nanoTime();
                    long elapsed = now - last;
                    last = now;
                    step.accept(elapsed);
                }
            } catch (RuntimeException e) {
                // the executor would drop the task without a word
                LOG.error("a device's engine failed and stands still from now on", e);
                throw e;
            } finally {
                stepping.unlock();
            }
        }

        void close() {
            stepping.lock();
            try {
                closed = true;
            } finally {
                stepping.unlock();
            }
        }
    }
}
