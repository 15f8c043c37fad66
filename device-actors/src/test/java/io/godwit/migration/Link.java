package io.godwit.migration;

import io.godwit.stream.MigrationChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Both ends of a connection in memory. What the source writes takes its time on the test's clock, by a rate; the link can
 * stop taking anything, as a peer does that hangs.
 */
final class Link {
    private final AtomicLong nanos;
    private final long bytesPerSecond;
    private final Pipe there = new Pipe();
    private final Pipe back = new Pipe();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long latencyNanos;
    private boolean stalled;
    private boolean closed;

    /** A link whose writes of n bytes move {@code nanos} by n / {@code bytesPerSecond}. */
    Link(AtomicLong nanos, long bytesPerSecond) {
        this.nanos = nanos;
        this.bytesPerSecond = bytesPerSecond;
    }

    MigrationChannel source() {
        return new End(there, back, true);
    }

    MigrationChannel destination() {
        return new End(back, there, false);
    }

    /** Every write takes that much longer, however small it is. */
    void latency(long nanoseconds) {
        lock.lock();
        try {
            latencyNanos = nanoseconds;
        } finally {
            lock.unlock();
        }
    }

    /** Nothing the source writes is taken any more, or everything again. */
    void stall(boolean on) {
        lock.lock();
        try {
            stalled = on;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private final class Pipe {
        private final Deque<byte[]> chunks = new ArrayDeque<>();
        private int taken;

        int read(ByteBuffer into) throws IOException {
            lock.lock();
            try {
                while (chunks.isEmpty()) {
                    if (closed) {
                        return -1;
                    }
                    changed.awaitUninterruptibly();
                }
                byte[] first = chunks.getFirst();
                int bytes = Math.min(into.remaining(), first.length - taken);
                into.put(first, taken, bytes);
                taken += bytes;
                if (taken == first.length) {
                    chunks.removeFirst();
                    taken = 0;
                }
                return bytes;
            } finally {
                lock.unlock();
            }
        }

        void write(byte[] bytes, boolean slow) throws IOException {
            lock.lock();
            try {
                while (slow && stalled && !closed) {
                    changed.awaitUninterruptibly();
                }
                if (closed) {
                    throw new IOException("the link is closed");
                }
                if (slow) {
                    nanos.addAndGet(latencyNanos + (long) (bytes.length * 1e9 / bytesPerSecond));
                }
                if (bytes.length > 0) {
                    chunks.add(bytes);
                    changed.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private final class End implements MigrationChannel {
        private final Pipe out;
        private final Pipe in;
        private final boolean slow;

        End(Pipe out, Pipe in, boolean slow) {
            this.out = out;
            this.in = in;
            this.slow = slow;
        }

        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) throws IOException {
            for (int i = offset; i < offset + length; i++) {
                byte[] bytes = new byte[buffers[i].remaining()];
                buffers[i].get(bytes);
                out.write(bytes, slow);
            }
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return in.read(into);
        }

        @Override
        public String peer() {
            return "host-b";
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
