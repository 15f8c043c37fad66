package io.godwit.bench;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Command line of {@link Throughput}. */
record ThroughputOptions(Role role, long bytes, int rounds, boolean json) {
    static final String USAGE = """
            usage: throughput [--rounds N] [--size SIZE] [--output table|json]
              --rounds N     rounds counted, 1 to 1000 (default 9)
              --size SIZE    RAM to send, whole MiB, such as 512MiB or 2GiB (default 1GiB)
              --output WHAT  table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,11})(B|KiB|MiB|GiB)");
    private static final Map<String, Integer> SHIFTS = Map.of("B", 0, "KiB", 10, "MiB", 20, "GiB", 30);

    /** What this process is to do. */
    enum Role {
        /** Prints the usage. */
        HELP,
        /** Sends and measures, with a second process that receives. */
        MEASURE,
        /** Is that second process. */
        RECEIVE
    }

    static ThroughputOptions parse(String[] args) {
        Role role = Role.MEASURE;
        long bytes = 1L << 30;
        int rounds = 9;
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> role = Role.HELP;
                case "receive" -> role = Role.RECEIVE;
                case "--rounds" -> rounds = rounds(value(args, i++));
                case "--size" -> bytes = size(value(args, i++));
                case "--output" -> json = output(value(args, i++));
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        return new ThroughputOptions(role, bytes, rounds, json);
    }

    static String value(String[] args, int option) {
        if (option + 1 == args.length) {
            throw new IllegalArgumentException(args[option] + " without a value");
        }
        return args[option + 1];
    }

    static int rounds(String text) {
        if (!text.matches("[0-9]{1,4}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > 1000) {
            throw new IllegalArgumentException("--rounds " + text + "; expected 1 to 1000");
        }
        return Integer.parseInt(text);
    }

    static long size(String text) {
        Matcher matcher = SIZE.matcher(text);
        Integer shift = matcher.matches() ? SHIFTS.get(matcher.group(2)) : null;
        long bytes = shift == null ? 0 : Long.parseLong(matcher.group(1)) << shift;
        // eleven digits of GiB still fit 64 bits
        if (bytes < Loopback.CHUNK_BYTES || bytes > 64L << 30 || bytes % Loopback.CHUNK_BYTES != 0) {
            throw new IllegalArgumentException("--size " + text + "; expected whole MiB up to 64GiB, such as 1GiB");
        }
        return bytes;
    }

    static boolean output(String text) {
        return switch (text) {
            case "table" -> false;
            case "json" -> true;
            default -> throw new IllegalArgumentException("--output " + text + "; expected table or json");
        };
    }
}
