package io.godwit.units;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes, rates and times as people type and read them. All sizes are binary: 1 KiB is 1024 bytes. */
public final class Units {
    /** What a size may look like, for error messages. */
    public static final String SIZES = "a whole number of bytes, or a number with KiB, MiB, GiB or TiB, such as 256MiB";

    /** What a rate may look like. */
    public static final String RATES = "a size per second, such as 20MiB/s";

    /** What a time may look like. */
    public static final String TIMES = "a time in ms or s, such as 300ms or 1.5s";

    private static final Pattern SIZE = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?)\\s*(B|KiB|MiB|GiB|TiB)?");
    private static final Pattern TIME = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,6})?)\\s*(ms|s)");

    private Units() {}

    /**
     * Reads a size.
     *
     * @throws IllegalArgumentException saying what was given and what is accepted
     */
    public static long bytes(String text) {
        Matcher matcher = SIZE.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a size; expected " + SIZES);
        }
        String unit = matcher.group(2) == null ? "B" : matcher.group(2);
        return exact(text, new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unitBytes(unit))), SIZES);
    }

    /**
     * Reads a rate in bytes per second; the {@code /s} may be left out.
     *
     * @throws IllegalArgumentException saying what was given and what is accepted
     */
    public static long bytesPerSecond(String text) {
        String stripped = text.strip();
        String size = stripped.endsWith("/s") ? stripped.substring(0, stripped.length() - 2) : stripped;
        try {
            return bytes(size);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + text + "' is not a rate; expected " + RATES, e);
        }
    }

    /**
     * Reads a time in milliseconds.
     *
     * @throws IllegalArgumentException saying what was given and what is accepted
     */
    public static long millis(String text) {
        Matcher matcher = TIME.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a time; expected " + TIMES);
        }
        BigDecimal number = new BigDecimal(matcher.group(1));
        return exact(text, "s".equals(matcher.group(2)) ? number.multiply(BigDecimal.valueOf(1000)) : number, TIMES);
    }

    /** A size for people: the largest unit that leaves at least 1, one decimal where it says something. */
    public static String size(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (Math.abs(value) >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        boolean whole = unit == 0 || Math.abs(value - Math.rint(value)) < 0.05;
        return String.format(Locale.ROOT, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
    }

    /** A size that {@link #bytes} reads back equal: a whole number of the largest unit that leaves no rest. */
    public static String exactSize(long bytes) {
        for (String unit : List.of("TiB", "GiB", "MiB", "KiB")) {
            if (bytes != 0 && bytes % unitBytes(unit) == 0) {
                return bytes / unitBytes(unit) + unit;
            }
        }
        return bytes + "B";
    }

    /** A time that {@link #millis} reads back equal: whole seconds, or milliseconds. */
    public static String exactTime(long millis) {
        return millis >= 1000 && millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
    }

    /** Microseconds as milliseconds with one decimal. */
    public static String millisOf(long micros) {
        return String.format(Locale.ROOT, "%.1f ms", micros / 1000.0);
    }

    /** How long something took, for people: milliseconds below a second, then seconds, then minutes. */
    public static String duration(long millis) {
        if (millis < 1000) {
            return millis + " ms";
        }
        return millis < 60_000
                ? String.format(Locale.ROOT, "%d.%d s", millis / 1000, millis % 1000 / 100)
                : millis / 60_000 + " min " + millis % 60_000 / 1000 + " s";
    }

    private static long unitBytes(String unit) {
        return switch (unit) {
            case "KiB" -> 1L << 10;
            case "MiB" -> 1L << 20;
            case "GiB" -> 1L << 30;
            case "TiB" -> 1L << 40;
            default -> 1L;
        };
    }

    /** Half a byte is a typing error, not something to round. */
    private static long exact(String text, BigDecimal value, String expected) {
        try {
            return value.longValueExact();
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is too large or not a whole number of bytes or ms; expected " + expected, e);
        }
    }
}
