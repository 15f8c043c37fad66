package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A place where the code under test can be held, so that a test acts while it stands there, or turned back. */
final class Gate {
    private volatile CountDownLatch reached = new CountDownLatch(1);
    private volatile CountDownLatch decided = new CountDownLatch(1);
    private volatile boolean shut;
    private volatile boolean broken;

    /** As new, open; nobody waits. */
    void reset() {
        reached = new CountDownLatch(1);
        decided = new CountDownLatch(1);
        shut = false;
        broken = false;
    }

    /** Whoever comes from now on waits. */
    void shut() {
        shut = true;
    }

    /** Lets everyone through. */
    void open() {
        shut = false;
        decided.countDown();
    }

    /** Whoever waits, and whoever comes from now on, fails. */
    void turnBack() {
        broken = true;
        decided.countDown();
    }

    /** Returns once somebody waits. */
    void awaitReached() {
        try {
            assertThat(reached.await(TwoHosts.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("somebody came to the gate")
                    .isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted before somebody came to the gate", e);
        }
    }

    /** Called by the code under test. */
    void pass() throws IOException {
        if (shut && !broken) {
            reached.countDown();
            try {
                decided.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted at a gate");
            }
        }
        if (broken) {
            throw new IOException("turned back at a gate");
        }
    }
}
