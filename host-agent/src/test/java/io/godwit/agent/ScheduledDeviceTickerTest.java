package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScheduledDeviceTickerTest {
    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);

    @AfterEach
    void shutDown() {
        executor.shutdownNow();
    }

    @Test
    void stepsGetTheTimeThatHasPassedOnTheClock() throws Exception {
        AtomicLong clock = new AtomicLong();
        CountDownLatch steps = new CountDownLatch(5);
        AtomicLong elapsed = new AtomicLong();
        AutoCloseable ticks = new ScheduledDeviceTicker(executor, () -> clock.addAndGet(7))
                .every(Duration.ofMillis(1), nanos -> {
                    elapsed.addAndGet(nanos);
                    steps.countDown();
                });
        assertThat(steps.await(10, TimeUnit.SECONDS)).isTrue();
        ticks.close();
        assertThat(elapsed.get()).isEqualTo(clock.get() - 7); // all but the reading at the start
    }

    @Test
    void closingWaitsForTheStepUnderWayAndNoneFollows() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean closed = new AtomicBoolean();
        AtomicBoolean steppedAfterClose = new AtomicBoolean();
        AutoCloseable ticks = new ScheduledDeviceTicker(executor, System::nanoTime).every(Duration.ofMillis(1), _ -> {
            steppedAfterClose.compareAndSet(false, closed.get());
            entered.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(() -> {
            try {
                ticks.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            closed.set(true);
        });
        assertThat(closing.isDone()).isFalse();
        release.countDown();
        closing.get(10, TimeUnit.SECONDS);
        // the same executor, later: had the ticker still a step to run, it would have run before this
        executor.schedule(() -> {}, 20, TimeUnit.MILLISECONDS).get();
        assertThat(steppedAfterClose).isFalse();
    }
}
