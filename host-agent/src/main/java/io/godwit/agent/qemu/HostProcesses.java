package io.godwit.agent.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * QEMU processes of this machine. {@code setsid} puts each into a session of its own, with its output in files, so that no
 * signal to the agent's group and no end of its terminal reaches it.
 */
public final class HostProcesses implements QemuLauncher {
    private static final long LOOK_EVERY_MILLIS = 5;
    private static final int SIGNALLED = 128;
    private static final Map<Integer, String> SIGNALS =
            Map.of(6, " (SIGABRT)", 9, " (SIGKILL)", 11, " (SIGSEGV)", 15, " (SIGTERM)");

    private final QemuSettings settings;

    /** With the limits of {@code settings}. */
    public HostProcesses(QemuSettings settings) {
        this.settings = settings;
    }

    /** Where {@code binary} is, on the PATH unless it is a path; empty when it is not to be had. */
    public static Optional<Path> lookUp(String binary) {
        if (binary.contains("/")) {
            return Optional.of(Path.of(binary)).filter(Files::isExecutable);
        }
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            Path candidate = Path.of(folder).resolve(binary);
            if (Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    @Override
    public QemuProcess launch(List<String> command, QemuFiles files) throws IOException {
        Files.createDirectories(files.folder());
        for (Path stale : List.of(files.pid(), files.qmp(), files.oob(), files.stderr(), files.serial())) {
            Files.deleteIfExists(stale);
        }
        List<String> line = new ArrayList<>(List.of("setsid"));
        line.addAll(command);
        Process process = new ProcessBuilder(line)
                .directory(files.folder().toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(files.stderr().toFile())
                .start();
        // setsid becomes QEMU: it forks only where it leads a group, which a child of a JVM does not
        CompletableFuture<String> ended = process.onExit().thenApply(p -> how(p.exitValue(), files));
        awaitSockets(process, ended, files);
        return new Handle(process.toHandle(), ended);
    }

    private void awaitSockets(Process process, CompletableFuture<String> ended, QemuFiles files) throws IOException {
        long tries = settings.startTimeout().toMillis() / LOOK_EVERY_MILLIS;
        try {
            // QEMU has no other word for being ready than to listen
            for (long i = 0; i < tries; i++) {
                if (Files.exists(files.qmp()) && Files.exists(files.oob()) && Files.exists(files.pid())) {
                    return;
                }
                if (process.waitFor(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new IOException("QEMU " + ended.join());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
            throw new IOException("interrupted while QEMU started", e);
        }
        process.destroyForcibly();
        throw new IOException("QEMU did not listen on " + files.qmp() + " within "
                + settings.startTimeout().toMillis() + " ms: " + files.lastWords(settings.stderrBytes()));
    }

    @Override
    public Optional<QemuProcess> find(QemuFiles files) throws IOException {
        OptionalLong pid = files.readPid();
        if (pid.isEmpty() || !isOurs(pid.getAsLong(), files)) {
            return Optional.empty();
        }
        return ProcessHandle.of(pid.getAsLong())
                .map(handle -> new Handle(
                        handle,
                        // not our child, so its exit status goes to somebody else
                        handle.onExit()
                                .thenApply(_ -> "ended while nobody could see how"
                                        + quoted(files.lastWords(settings.stderrBytes())))));
    }

    /** A pid may have been given to another process since: the command line names our pid file only if it is ours. */
    private static boolean isOurs(long pid, QemuFiles files) throws IOException {
        try {
            String line = Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
            return line.contains("\0"
                    + new String(files.pid().toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)
                    + "\0");
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private String how(int status, QemuFiles files) {
        String words = quoted(files.lastWords(settings.stderrBytes()));
        if (status > SIGNALLED) {
            int signal = status - SIGNALLED;
            return "was ended by signal " + signal + SIGNALS.getOrDefault(signal, "") + words;
        }
        return "exited with status " + status + words;
    }

    private static String quoted(String words) {
        return words.isEmpty() ? "" : ": " + words;
    }

    private record Handle(ProcessHandle process, CompletionStage<String> ended) implements QemuProcess {
        @Override
        public int hurry() throws IOException {
            return NoDelay.set(process.pid());
        }

        @Override
        public void terminate() {
            process.destroy();
        }

        @Override
        public void kill() {
            process.destroyForcibly();
        }
    }
}
