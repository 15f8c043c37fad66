package io.godwit.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Keeps a host's id in its data folder, so that an agent with a wrong or changed id touches no guest. */
final class HostIdentity {
    private HostIdentity() {}

    /**
     * Claims the folder for {@code id}, making it when missing.
     *
     * @throws IOException when the folder belongs to another id, naming both, or cannot be used
     */
    static void claim(Path dataDir, String id) throws IOException {
        Files.createDirectories(dataDir);
        Path file = dataDir.resolve("host-id");
        if (!Files.exists(file)) {
            Files.writeString(file, id + "\n");
        }
        String found = Files.readString(file).strip();
        if (!found.equals(id)) {
            throw new IOException("data folder " + dataDir + " belongs to host '" + found + "', not '" + id
                    + "': start the agent with its own id, or with another folder");
        }
    }
}
