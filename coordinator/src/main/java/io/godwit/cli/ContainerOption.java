package io.godwit.cli;

import io.godwit.api.VmBody;
import java.util.List;

/** The value of {@code --container}: {@code key=value} pairs, such as {@code name=c0,viommu=true,remap=64MiB/s}. */
final class ContainerOption {
    private static final List<String> KEYS = List.of("name", "viommu", "remap");

    private ContainerOption() {}

    /**
     * Reads one value, {@code text} as typed.
     *
     * @throws CliFailure naming the key, what was given and what is accepted
     */
    static VmBody.Container parse(String text) {
        KeyValues values = new KeyValues("--container", text, text.split(",", -1), 0, KEYS);
        String name = values.given().get("name");
        if (name == null) {
            throw CliFailure.usage(
                    "--container '" + text + "': no name; expected that of a device's container, such as name=c0");
        }
        return new VmBody.Container(name, values.truth("viommu"), values.rate("remap"));
    }
}
