package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Asks both QEMUs all the while whether they run, and keeps whether ever both did. */
final class OneAtATime implements AutoCloseable {
    /** Two VMs that ran at once would do so for a ledger's poll at least, which is ten times that. */
    private static final long PAUSE_NANOS = 20_000_000;

    private final TwoQemuHosts hosts;
    private final AtomicInteger looks = new AtomicInteger();
    private final Thread thread;
    private volatile boolean paused;
    private volatile boolean done;
    private volatile boolean both;

    /** Begins to look. */
    OneAtATime(TwoQemuHosts hosts) {
        this.hosts = hosts;
        this.thread = Thread.ofPlatform().daemon().start(this::look);
    }

    /** A QEMU that hangs answers nobody. */
    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
    }

    /** Fails when both have run at once, or nobody has looked. */
    void check() {
        assertThat(looks.get()).isPositive();
        assertThat(both).as("both QEMUs ran at once").isFalse();
    }

    private void look() {
        while (!done) {
            if (!paused) {
                // one that runs goes on until it is stopped: what ran before and after the other was asked ran
                // meanwhile
                if (runs(hosts.a) && runs(hosts.b) && runs(hosts.a)) {
                    both = true;
                }
                looks.incrementAndGet();
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private boolean runs(TwoQemuHosts.Agent agent) {
        try {
            return hosts.runs(agent);
        } catch (IOException | RuntimeException e) {
            // it is not there, or just coming or going
            return false;
        }
    }

    @Override
    public void close() {
        done = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
