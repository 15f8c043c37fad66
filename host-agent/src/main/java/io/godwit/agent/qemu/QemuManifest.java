package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.Optional;

/**
 * What an agent has to know of a QEMU of its own after a restart. Written before what it says is done, so that the file is
 * never behind; whether it was done, QEMU and the ledger tell.
 *
 * @param spec the VM
 * @param epoch the grant under which it runs or ran last; of a copy that arrives, the source's
 * @param role what it is here for
 * @param migration the migration it takes part in
 * @param started whether it is known to have run under that grant: one that stands then was paused by its operator
 * @param uri where that migration's destination listens, as QEMU writes it
 */
record QemuManifest(
        VmSpec spec, long epoch, Role role, Optional<String> migration, boolean started, Optional<String> uri) {
    /** What a QEMU of this host is here for. */
    enum Role {
        /** Runs under a grant. */
        RUNNING,
        /** Runs, and is being sent to another host; it may have surrendered. */
        LEAVING,
        /** Is being loaded; granted nothing yet. */
        ARRIVING
    }

    private static final int FORMAT = 1;

    /** Replaces the file in one step: after a crash it holds all of this, or all of what it held. Durable on return. */
    void write(Path file, SpecCodec codec) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode node = json.createObjectNode();
        node.put("format", FORMAT);
        node.put("vm", spec.name());
        node.put("epoch", epoch);
        node.put("role", role.name());
        migration.ifPresent(id -> node.put("migration", id));
        node.put("started", started);
        uri.ifPresent(address -> node.put("uri", address));
        node.put("spec", Base64.getEncoder().encodeToString(codec.write(spec)));
        Files.createDirectories(file.getParent());
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(node.toPrettyString() + "\n");
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Reads a manifest.
     *
     * @throws IOException when it is no manifest of this format: names the file and what was wrong
     */
    static QemuManifest read(Path file, SpecCodec codec) throws IOException {
        try {
            JsonNode node = new ObjectMapper().readTree(Files.readString(file));
            if (node.path("format").asInt() != FORMAT) {
                throw new IOException("format is " + node.path("format") + "; expected " + FORMAT);
            }
            return new QemuManifest(
                    codec.read(Base64.getDecoder().decode(node.path("spec").asText())),
                    node.path("epoch").asLong(),
                    Role.valueOf(node.path("role").asText()),
                    text(node, "migration"),
                    node.path("started").asBoolean(),
                    text(node, "uri"));
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException("manifest " + file + ": " + e.getMessage(), e);
        }
    }

    private static Optional<String> text(JsonNode node, String field) {
        return node.has(field) ? Optional.of(node.path(field).asText()) : Optional.empty();
    }
}
