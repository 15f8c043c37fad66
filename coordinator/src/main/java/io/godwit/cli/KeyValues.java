package io.godwit.cli;

import io.godwit.units.Units;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/** The {@code key=value} pairs of one option's value, such as those of {@code --device}. */
final class KeyValues {
    private final String option;
    private final String text;
    private final Map<String, String> values = new LinkedHashMap<>();

    /**
     * Reads {@code parts} from number {@code from} on.
     *
     * @param option name of the option, for errors
     * @param text its whole value as typed, for errors
     * @param keys that there are
     * @throws CliFailure for what is no pair, an unknown key, or one given twice
     */
    KeyValues(String option, String text, String[] parts, int from, List<String> keys) {
        this.option = option;
        this.text = text;
        for (int i = from; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String key = equals < 0 ? parts[i] : parts[i].substring(0, equals).strip();
            if (equals < 0 || !keys.contains(key)) {
                throw CliFailure.usage(option + " '" + text + "': '" + parts[i] + "'; expected key=value with a key of "
                        + String.join(", ", keys));
            }
            if (values.put(key, parts[i].substring(equals + 1).strip()) != null) {
                throw CliFailure.usage(option + " '" + text + "': " + key + " given twice; expected it once");
            }
        }
    }

    /** What was given, if it was. */
    Map<String, String> given() {
        return values;
    }

    /** A size in bytes, 0 unless given. */
    long size(String key) {
        return number(key, () -> Units.bytes(values.getOrDefault(key, "0")));
    }

    /** A rate in bytes per second, 0 unless given. */
    long rate(String key) {
        return number(key, () -> Units.bytesPerSecond(values.getOrDefault(key, "0")));
    }

    /** True or false, false unless given. */
    boolean truth(String key) {
        return switch (values.getOrDefault(key, "false")) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw CliFailure.usage(option + " '" + text + "', " + key + ": '" + values.get(key)
                        + "' is not a choice; expected true or false");
        };
    }

    private long number(String key, LongSupplier reader) {
        try {
            return reader.getAsLong();
        } catch (IllegalArgumentException e) {
            throw CliFailure.usage(option + " '" + text + "', " + key + ": " + e.getMessage());
        }
    }
}
