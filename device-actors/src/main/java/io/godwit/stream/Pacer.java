package io.godwit.stream;

import io.godwit.proto.MonotonicClock;
import java.util.concurrent.locks.LockSupport;

/** Time for the rate limit, injected so that a test owns it: a clock and a way to wait on it. */
public interface Pacer extends MonotonicClock {
    /** Waits about {@code nanos}; may return early (for one, when the thread is interrupted), never fails. */
    void park(long nanos);

    /** Waits on the thread itself and reads {@code clock}. */
    static Pacer parking(MonotonicClock clock) {
        return new Pacer() {
            @Override
            public long nanoTime() {
                return clock.nanoTime();
            }

            @Override
            public void park(long nanos) {
                LockSupport.parkNanos(this, nanos);
            }
        };
    }
}
