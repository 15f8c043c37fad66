package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A QEMU that stands where a test puts it: answers its two monitors at once, and keeps what it was asked. */
final class FakeQemu {
    private static final String END = "";

    /** Commands in the order they came. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    /** How often its connections were told to send what they have. */
    final AtomicInteger hurried = new AtomicInteger();

    /** Completed when the process ends. */
    final CompletableFuture<String> ended = new CompletableFuture<>();

    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, String> refusals = new ConcurrentHashMap<>();
    private final List<Link> links = new CopyOnWriteArrayList<>();
    private final Map<String, BlockingQueue<String>> held = new HashMap<>();
    private String migration = "{}";
    private String runState = "prelaunch";
    private boolean stoppedByItself;

    /** What query-migrate and query-status say from now on; QEMU gives a sign of the change. */
    synchronized void stands(String migrationSaid, String run) {
        migration = migrationSaid;
        runState = run;
        links.forEach(link -> link.lines.add("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"whatever\"}}"));
    }

    /** An event of that migration status, ahead of whatever a question would be answered with. */
    synchronized void says(String status) {
        links.forEach(link -> link.lines.add("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"" + status + "\"}}"));
    }

    /** {@code stop} changes nothing from now on: the vCPUs have been stopped by QEMU itself. */
    synchronized void hasStopped() {
        runState = "finish-migrate";
        stoppedByItself = true;
    }

    /** The command is refused from now on. */
    void refuses(String command, String why) {
        refusals.put(command, why);
    }

    /** The command is taken in from now on, but not answered. */
    synchronized void holds(String command) {
        held.put(command, new LinkedBlockingQueue<>());
    }

    /** The command that is held is answered. */
    synchronized void releases(String command) {
        BlockingQueue<String> answers = held.remove(command);
        if (answers == null) {
            throw new IllegalStateException(command + " is not held");
        }
        links.forEach(link -> link.lines.addAll(answers));
    }

    /** The process, for a launcher. */
    QemuProcess process() {
        return new QemuProcess() {
            @Override
            public CompletionStage<String> ended() {
                return ended;
            }

            @Override
            public int hurry() {
                hurried.incrementAndGet();
                return 1;
            }

            @Override
            public void terminate() {
                ended.complete("was ended by signal 15 (SIGTERM)");
            }

            @Override
            public void kill() {
                ended.complete("was ended by signal 9 (SIGKILL)");
            }
        };
    }

    QmpLink connect() {
        Link link = new Link();
        links.add(link);
        link.lines.add(ScriptedQmp.GREETING);
        return link;
    }

    private synchronized String answer(JsonNode command) {
        String name = command.has("execute")
                ? command.path("execute").asText()
                : command.path("exec-oob").asText();
        String id = command.path("id").asText();
        if (!name.startsWith("query-") && !name.equals("qmp_capabilities")) {
            asked.add(name);
        }
        String refusal = refusals.get(name);
        if (refusal != null) {
            return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" + refusal + "\"}, \"id\": \"" + id + "\"}";
        }
        switch (name) {
            case "cont" -> runState = "running";
            case "stop" -> runState = stoppedByItself ? runState : "paused";
            case "quit" -> ended.complete("exited with status 0");
            default -> {}
        }
        String value = switch (name) {
            case "query-migrate" -> migration;
            case "query-status" ->
                "{\"status\": \"" + runState + "\", \"running\": " + runState.equals("running") + "}";
            case "qom-get" -> "\"pc-q35-9.2-machine\"";
            default -> "{}";
        };
        return "{\"return\": " + value + ", \"id\": \"" + id + "\"}";
    }

    private final class Link implements QmpLink {
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

        @Override
        public @Nullable String readLine() throws IOException {
            try {
                String line = lines.take();
                return line.equals(END) ? null : line;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }

        @Override
        public void writeLine(String line) throws IOException {
            JsonNode command = json.readTree(line);
            synchronized (FakeQemu.this) {
                held.getOrDefault(command.path("execute").asText(), lines).add(answer(command));
            }
        }

        @Override
        public void close() {
            lines.add(END);
        }
    }
}
