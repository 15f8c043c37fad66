package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.proto.host.QemuAbility;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Asks a QEMU program what it can be, by starting it once without a machine: version, machine types, CPU models. */
final class QemuProbe {
    private static final String MACHINES = "query-machines";
    private static final String CPUS = "query-cpu-definitions";
    private static final String POSTCOPY = "migrate-set-capabilities";

    private QemuProbe() {}

    /**
     * What {@code binary} says of itself. Blocks, a tenth of a second as a rule.
     *
     * @param kvm whether KVM works here
     * @param patience for all its answers; then it is killed
     * @throws IOException when it cannot be started, or does not answer: with its last words
     */
    static QemuAbility ask(Path binary, boolean kvm, Duration patience) throws IOException {
        // -incoming: only a QEMU that waits for a migration looks whether userfaultfd is to be had
        Process process = new ProcessBuilder(
                        binary.toString(),
                        "-machine",
                        "none",
                        "-nodefaults",
                        "-no-user-config",
                        "-display",
                        "none",
                        "-S",
                        "-incoming",
                        "defer",
                        "-qmp",
                        "stdio")
                .redirectErrorStream(true)
                .start();
        Thread watch = Thread.ofVirtual().start(() -> killAfter(process, patience));
        try (BufferedReader answers = process.inputReader(StandardCharsets.UTF_8)) {
            try (OutputStream questions = process.getOutputStream()) {
                questions.write(questions().getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // it ended at once; what it said tells why
            }
            return read(answers.lines().toList(), kvm, binary);
        } finally {
            watch.interrupt();
            process.destroyForcibly();
        }
    }

    private static void killAfter(Process process, Duration patience) {
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String questions() {
        ObjectNode postcopy = QmpSession.arguments();
        postcopy.putArray("capabilities")
                .addObject()
                .put("capability", "postcopy-ram")
                .put("state", true);
        ObjectNode none = QmpSession.arguments();
        return String.join(
                        "\n",
                        QmpMessage.line("negotiate", "qmp_capabilities", none, false),
                        QmpMessage.line(MACHINES, MACHINES, none, false),
                        QmpMessage.line(CPUS, CPUS, none, false),
                        QmpMessage.line(POSTCOPY, POSTCOPY, postcopy, false),
                        QmpMessage.line("quit", "quit", none, false))
                + "\n";
    }

    private static QemuAbility read(List<String> lines, boolean kvm, Path binary) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<String> words = new ArrayList<>();
        Map<String, JsonNode> answers = new HashMap<>();
        Set<String> refused = new HashSet<>();
        String version = "";
        for (String line : lines) {
            switch (QmpMessage.parse(json, line)) {
                case QmpMessage.Greeting(var said, var _) ->
                    version = said.major() + "." + said.minor() + "." + said.micro();
                case QmpMessage.Returned(var id, var value) -> answers.put(id, value);
                case QmpMessage.Refused(var id, var _, var why) -> {
                    id.ifPresent(refused::add);
                    words.add(why);
                }
                case QmpMessage.Event _ -> {}
                case QmpMessage.Unknown(var said, var _) -> words.add(said);
            }
        }
        JsonNode machines = answers.get(MACHINES);
        JsonNode cpus = answers.get(CPUS);
        if (machines == null || cpus == null) {
            throw new IOException(binary + " does not say what it can be: " + String.join("; ", words));
        }
        return new QemuAbility(
                version,
                names(machines, "name", "alias"),
                names(cpus, "name"),
                kvm ? List.of("kvm", "tcg") : List.of("tcg"),
                answers.containsKey(POSTCOPY) && !refused.contains(POSTCOPY));
    }

    private static List<String> names(JsonNode list, String... fields) {
        Set<String> names = new TreeSet<>();
        for (JsonNode one : list) {
            for (String field : fields) {
                if (one.has(field)) {
                    names.add(one.path(field).asText());
                }
            }
        }
        return List.copyOf(names);
    }
}
