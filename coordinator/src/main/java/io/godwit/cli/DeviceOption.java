package io.godwit.cli;

import io.godwit.api.VmBody;
import java.util.List;

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
        KeyValues values = new KeyValues("--device", text, parts, 1, KEYS);
        return new VmBody.Device(
                values.given().getOrDefault("name", model + index),
                model,
                values.given().get("container"),
                values.size("state"),
                values.rate("state-rate"),
                values.size("pinned"),
                values.rate("dma"),
                values.given().get("reporting"));
    }
}
