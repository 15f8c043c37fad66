package io.godwit.cli;

import io.godwit.api.VmBody;
import io.godwit.units.Units;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The value of {@code --device}: a model, then {@code key=value} pairs, such as {@code
 * gpu,name=gpu0,state=16MiB,pinned=8MiB,dma=4MiB/s}.
 */
public final class DeviceOption {
    private static final List<String> KEYS =
            List.of("name", "container", "state", "state-rate", "pinned", "dma", "reporting");

    private DeviceOption() {}

    /**
     * Reads one value.
     *
     * @param text as typed
     * @param index number of the option on the command line, from 0; the default name is model and index
     * @throws CliFailure naming the key, what was given and what is accepted
     */
    public static VmBody.Device parse(String text, int index) {
        String[] parts = text.split(",", -1);
        String model = parts[0].strip();
        if (model.isEmpty() || model.contains("=")) {
            throw CliFailure.usage("--device '" + text + "': expected the model first, such as gpu,state=16MiB");
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String key = equals < 0 ? parts[i] : parts[i].substring(0, equals).strip();
            if (equals < 0 || !KEYS.contains(key)) {
                throw CliFailure.usage("--device '" + text + "': '" + parts[i] + "'; expected key=value with a key of "
                        + String.join(", ", KEYS));
            }
            if (values.put(key, parts[i].substring(equals + 1).strip()) != null) {
                throw CliFailure.usage("--device '" + text + "': " + key + " given twice; expected it once");
            }
        }
        return new VmBody.Device(
                values.getOrDefault("name", model + index),
                model,
                values.get("container"),
                size(text, values, "state"),
                rate(text, values, "state-rate"),
                size(text, values, "pinned"),
                rate(text, values, "dma"),
                values.get("reporting"));
    }

    private static long size(String text, Map<String, String> values, String key) {
        return number(text, key, () -> Units.bytes(values.getOrDefault(key, "0")));
    }

    private static long rate(String text, Map<String, String> values, String key) {
        return number(text, key, () -> Units.bytesPerSecond(values.getOrDefault(key, "0")));
    }

    private static long number(String text, String key, LongSupplier reader) {
        try {
            return reader.getAsLong();
        } catch (IllegalArgumentException e) {
            throw CliFailure.usage("--device '" + text + "', " + key + ": " + e.getMessage());
        }
    }
}
