package io.godwit.migration;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Times and sizes in words, for reasons that an operator reads. */
final class Figures {
    private static final double MIB = 1 << 20;

    private Figures() {}

    /** Milliseconds of a number of microseconds. */
    static String millis(long micros) {
        return TimeUnit.MICROSECONDS.toMillis(micros) + " ms";
    }

    /** Whole seconds of a number of nanoseconds. */
    static String seconds(long nanos) {
        return TimeUnit.NANOSECONDS.toSeconds(nanos) + " s";
    }

    /** Bytes: in MiB from one tenth of one on, else as they are. */
    static String bytes(long bytes) {
        return bytes < MIB / 10 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
    }

    /** The same, a second. */
    static String rate(long bytesPerSecond) {
        return bytes(bytesPerSecond) + "/s";
    }
}
