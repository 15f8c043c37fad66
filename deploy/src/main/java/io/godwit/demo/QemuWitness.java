package io.godwit.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.agent.qemu.UnixQmpLink;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The QEMUs of the demo, asked and ended without the agents: each has a monitor of its own for this, and writes its process
 * id to a file.
 */
final class QemuWitness {
    /** Arguments that give a QEMU the monitor; it starts in its own folder, so that the path of the socket is short. */
    static final List<String> ARGUMENTS = List.of("-qmp", "unix:demo,server=on,wait=off");

    private static final int READ_BYTES = 4096;
    private static final int LINE_BYTES_MAX = 1 << 20;

    private final Path folder;
    private final Duration limit;

    /**
     * Of the hosts whose data folders are in {@code folder}.
     *
     * @param limit for an answer
     */
    QemuWitness(Path folder, Duration limit) {
        this.folder = folder;
        this.limit = limit;
    }

    /** The hosts on which a QEMU says that it runs {@code vm}, or does not say that it does not. */
    List<String> running(String vm, List<String> hosts) throws InterruptedException {
        List<String> running = new ArrayList<>();
        for (String host : hosts) {
            Path socket = folder.resolve(host).resolve("qemu").resolve(vm).resolve("demo");
            if (alive(socket.resolveSibling("pid")).isPresent() && !stands(socket)) {
                running.add(host);
            }
        }
        return running;
    }

    private boolean stands(Path socket) throws InterruptedException {
        try (ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor()) {
            var answer = asking.submit(() -> ask(socket));
            try {
                return !answer.get(limit.toMillis(), TimeUnit.MILLISECONDS)
                        .path("running")
                        .asBoolean(true);
            } catch (ExecutionException | TimeoutException e) {
                answer.cancel(true);
                // one that has ended meanwhile runs nothing
                return alive(socket.resolveSibling("pid")).isEmpty();
            }
        }
    }

    private static JsonNode ask(Path socket) throws IOException {
        ObjectMapper json = new ObjectMapper();
        try (UnixQmpLink link = UnixQmpLink.open(socket, READ_BYTES, LINE_BYTES_MAX)) {
            link.writeLine("{\"execute\": \"qmp_capabilities\"}");
            link.writeLine("{\"execute\": \"query-status\", \"id\": \"demo\"}");
            for (String line = link.readLine(); line != null; line = link.readLine()) {
                JsonNode said = json.readTree(line);
                if (said.path("id").asText().equals("demo")) {
                    return said.path("return");
                }
            }
            throw new IOException("QEMU closed " + socket + " without an answer");
        }
    }

    /** Ends every QEMU that is left: they outlive their agents. */
    void endAll() {
        try (Stream<Path> files = Files.find(
                folder, 4, (path, _) -> path.endsWith("pid") && path.getNameCount() == folder.getNameCount() + 4)) {
            files.flatMap(pid -> alive(pid).stream()).forEach(left -> {
                if (left.destroyForcibly()) {
                    left.onExit()
                            .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                            .exceptionally(_ -> left)
                            .join();
                }
            });
        } catch (IOException e) {
            // no folder, no QEMU
        }
    }

    /** The process of a pid file. A pid may be another process's by now: only our QEMU's command line names the file. */
    private static Optional<ProcessHandle> alive(Path pidFile) {
        try {
            long pid = Long.parseLong(Files.readString(pidFile).strip());
            String line = Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
            return line.contains("\0" + pidFile.toAbsolutePath() + "\0") ? ProcessHandle.of(pid) : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }
}
