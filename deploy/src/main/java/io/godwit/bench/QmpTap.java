package io.godwit.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.agent.qemu.UnixQmpLink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A monitor of a QEMU that belongs to the benchmark: what happens there, with QEMU's own time of it, and commands. All QEMUs of
 * a machine take their times from its one clock. Safe for any thread; whatever waits does so for {@value #LIMIT_SECONDS} s at
 * most.
 */
final class QmpTap implements AutoCloseable {
    private static final int LIMIT_SECONDS = 60;
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int READ_BYTES = 4096;
    private static final int LINE_BYTES_MAX = 1 << 20;

    private final Path socket;
    private final UnixQmpLink link;
    private final ObjectMapper json = new ObjectMapper();
    private final List<Event> events = new ArrayList<>();
    private final Map<Long, JsonNode> answers = new HashMap<>();
    private long commands;
    private @Nullable String broken;

    /** @param micros since 1970 */
    private record Event(String name, String status, long micros) {}

    private QmpTap(Path socket, UnixQmpLink link) {
        this.socket = socket;
        this.link = link;
    }

    /** Connects as soon as somebody listens there. */
    static QmpTap open(Path socket) throws IOException {
        QmpTap tap = new QmpTap(socket, connect(socket));
        Thread.ofVirtual().start(tap::listen);
        tap.call("qmp_capabilities", "{}");
        return tap;
    }

    private static UnixQmpLink connect(Path socket) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (true) {
            // the file is there a moment before anybody listens
            try {
                return UnixQmpLink.open(socket, READ_BYTES, LINE_BYTES_MAX);
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
        }
    }

    private void listen() {
        String end = "QEMU has closed it";
        try {
            for (String line = link.readLine(); line != null; line = link.readLine()) {
                heard(json.readTree(line));
            }
        } catch (IOException e) {
            end = String.valueOf(e.getMessage());
        }
        synchronized (this) {
            broken = end;
            notifyAll();
        }
    }

    private synchronized void heard(JsonNode said) {
        if (said.has("event")) {
            JsonNode time = said.path("timestamp");
            events.add(new Event(
                    said.path("event").asText(),
                    said.path("data").path("status").asText(),
                    time.path("seconds").asLong() * 1_000_000
                            + time.path("microseconds").asLong()));
        } else if (said.has("id")) {
            answers.put(said.path("id").asLong(), said);
        }
        notifyAll();
    }

    /**
     * The command's {@code return}.
     *
     * @throws IOException when QEMU refuses, ends or does not answer
     */
    synchronized JsonNode call(String command, String arguments) throws IOException {
        long id = ++commands;
        ObjectNode request = json.createObjectNode().put("execute", command).put("id", id);
        request.set("arguments", json.readTree(arguments));
        link.writeLine(request.toString());
        await(command, () -> answers.containsKey(id));
        JsonNode answer = answers.remove(id);
        if (answer == null || !answer.has("return")) {
            throw new IOException(socket + ": " + command + ": " + answer);
        }
        return answer.path("return");
    }

    /** When {@code event} happened first at or after {@code from}, in microseconds since 1970; waits for it. */
    synchronized long await(String event, long from) throws IOException {
        return await(event, "", from);
    }

    /** As {@link #await(String, long)}, for MIGRATION with that status. */
    synchronized long await(String event, String status, long from) throws IOException {
        await(event + " " + status, () -> first(event, status, from).isPresent());
        return first(event, status, from).orElseThrow();
    }

    /** When it happened first at or after {@code from}, if it has. */
    synchronized OptionalLong first(String event, String status, long from) {
        return events.stream()
                .filter(one -> one.name().equals(event) && one.status().equals(status) && one.micros() >= from)
                .mapToLong(Event::micros)
                .findFirst();
    }

    /** What happened from {@code from} on, each with its milliseconds since {@code zero}, in one line. */
    synchronized String trace(long from, long zero) {
        return events.stream()
                .filter(one -> one.micros() >= from)
                .map(one -> String.format(
                        Locale.ROOT,
                        "%s %.1f",
                        one.status().isEmpty() ? one.name() : one.status(),
                        (one.micros() - zero) / 1e3))
                .collect(Collectors.joining(", "));
    }

    /** When it happened last before {@code until}, if it has. */
    synchronized OptionalLong last(String event, long until) {
        return events.stream()
                .filter(one -> one.name().equals(event) && one.micros() < until)
                .mapToLong(Event::micros)
                .reduce((_, later) -> later);
    }

    private synchronized void await(String what, BooleanSupplier come) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        try {
            while (!come.getAsBoolean()) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (broken != null || left <= 0) {
                    throw new IOException(socket + ": waiting for " + what + ": "
                            + (broken != null ? broken : "not within " + LIMIT_SECONDS + " s") + "; seen " + events);
                }
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + what, e);
        }
    }

    /** Whether QEMU has closed it. */
    synchronized boolean ended() {
        return broken != null;
    }

    @Override
    public void close() {
        link.close();
    }
}
