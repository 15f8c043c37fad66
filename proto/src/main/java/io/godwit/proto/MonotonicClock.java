package io.godwit.proto;

/** Elapsed time, injected so that a test owns it. Comparable only within one process. */
@FunctionalInterface
public interface MonotonicClock {
    /** Nanoseconds since an arbitrary origin; never goes back. */
    long nanoTime();
}
