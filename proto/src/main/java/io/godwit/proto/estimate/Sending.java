package io.godwit.proto.estimate;

/** How long bytes take to be sent. */
public final class Sending {
    /** Longest time that is told apart from never, microseconds; a few of them add up without overflow. */
    public static final long NEVER_MICROS = Long.MAX_VALUE / 8;

    private Sending() {}

    /** Microseconds for {@code bytes} at {@code bytesPerSecond}; {@link #NEVER_MICROS} for some at none. */
    public static long micros(long bytes, long bytesPerSecond) {
        if (bytes == 0) {
            return 0;
        }
        return bytesPerSecond <= 0 ? NEVER_MICROS : Math.min(NEVER_MICROS, (long) (bytes * 1e6 / bytesPerSecond));
    }
}
