package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The QEMU side of one QMP connection, line by line, as a test says. */
final class ScriptedQmp implements QmpLink {
    static final String GREETING = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"
            + " \"package\": \"Debian 1:7.2\"}, \"capabilities\": [\"oob\"]}}";
    private static final String END = "";
    private static final long PATIENCE_SECONDS = 10;

    private final BlockingQueue<String> toMonitor = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> fromMonitor = new LinkedBlockingQueue<>();
    private final ObjectMapper json = new ObjectMapper();
    private volatile boolean closed;

    /** What QEMU says next. */
    void say(String line) {
        toMonitor.add(line);
    }

    /** Greets, and answers the negotiation. */
    void greet() throws Exception {
        say(GREETING);
        JsonNode negotiation = hear();
        assertThat(negotiation.path("execute").asText()).isEqualTo("qmp_capabilities");
        assertThat(negotiation.at("/arguments/enable/0").asText()).isEqualTo("oob");
        say("{\"return\": {}, \"id\": \"" + negotiation.path("id").asText() + "\"}");
    }

    /** The next command. */
    JsonNode hear() throws Exception {
        String line = fromMonitor.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(line).as("a line from the monitor").isNotNull();
        return json.readTree(line);
    }

    boolean silent() {
        return fromMonitor.isEmpty();
    }

    boolean closed() {
        return closed;
    }

    /** QEMU goes away. */
    void hangUp() {
        toMonitor.add(END);
    }

    @Override
    public @Nullable String readLine() throws IOException {
        try {
            String line = toMonitor.take();
            return line.equals(END) ? null : line;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void writeLine(String line) {
        fromMonitor.add(line);
    }

    @Override
    public void close() {
        closed = true;
        hangUp();
    }
}
