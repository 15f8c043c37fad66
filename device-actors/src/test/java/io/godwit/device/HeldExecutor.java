package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/** A data plane that works when a test says so: one hook at a time. */
final class HeldExecutor implements Executor {
    private final Deque<Runnable> work = new ArrayDeque<>();

    @Override
    public synchronized void execute(Runnable task) {
        work.add(task);
    }

    /** Does the next piece of work, once it is there. */
    void runNext() {
        while (true) {
            Runnable next;
            synchronized (this) {
                next = work.poll();
                assertThat(work).as("one at a time").isEmpty();
            }
            if (next != null) {
                next.run();
                return;
            }
            Thread.onSpinWait();
        }
    }
}
