package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.agent.Requirement;
import io.godwit.agent.qemu.workload.PageRule.Verdict;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** A QEMU of a test, in a process of its own; killed when closed. Its files are {@code NAME.*} in the test's folder. */
public final class QemuProcess implements AutoCloseable {
    public static final String SYSTEM = "qemu-system-x86_64";

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern R15 = Pattern.compile("R15=([0-9a-f]{16})");

    private final Path folder;
    private final String name;
    private final Process process;
    private final QmpSocket qmp;
    private int dumps;

    private QemuProcess(Path folder, String name, Process process, QmpSocket qmp) {
        this.folder = folder;
        this.name = name;
        this.process = process;
        this.qmp = qmp;
    }

    /** Skips the test, aloud, where a program of QEMU's is not on the PATH; fails it where QEMU is required. */
    public static void need(String program) {
        boolean there = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
        Requirement.need(
                "qemu", there, "no " + program + " on the PATH; install it (Debian: qemu-system-x86, qemu-utils)");
    }

    /** Starts one and waits until it answers on QMP. */
    public static QemuProcess start(Path folder, String name, String accel, int memoryMib, List<String> more)
            throws IOException {
        need(SYSTEM);
        Process process = launch(folder, name, accel, memoryMib, more);
        QmpSocket[] qmp = new QmpSocket[1];
        try {
            Awaitility.await(name + " answers")
                    .pollInterval(Duration.ofMillis(10))
                    .atMost(PATIENCE)
                    .until(() -> {
                        if (!process.isAlive()) {
                            throw new IOException(
                                    name + " ended with " + process.exitValue() + ": " + stderr(folder, name));
                        }
                        try {
                            qmp[0] = QmpSocket.open(folder.resolve(name + ".qmp"));
                            return true;
                        } catch (IOException notYet) {
                            return false;
                        }
                    });
        } catch (RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
        return new QemuProcess(folder, name, process, qmp[0]);
    }

    /** Starts one that is expected to end by itself, and waits until it has: what it wrote on stderr. */
    public static String startRefused(Path folder, String name, String accel, int memoryMib, List<String> more)
            throws Exception {
        need(SYSTEM);
        Process process = launch(folder, name, accel, memoryMib, more);
        try {
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("%s ended", name)
                    .isTrue();
            assertThat(process.exitValue()).isEqualTo(1);
            return stderr(folder, name);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process launch(Path folder, String name, String accel, int memoryMib, List<String> more)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(SYSTEM, "-nodefaults", "-no-user-config", "-display", "none"));
        command.addAll(List.of("-machine", "pc", "-accel", accel, "-m", memoryMib + "M", "-name", name));
        command.addAll(List.of("-serial", "file:" + folder.resolve(name + ".serial")));
        command.addAll(List.of("-qmp", "unix:" + folder.resolve(name + ".qmp") + ",server=on,wait=off"));
        command.addAll(more);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".stderr").toFile())
                .start();
    }

    private static String stderr(Path folder, String name) throws IOException {
        return Files.readString(folder.resolve(name + ".stderr"));
    }

    /** A QMP command without arguments. */
    public JsonNode execute(String command) throws IOException {
        return qmp.execute(command, "{}");
    }

    /** A QMP command with its arguments as JSON. */
    public JsonNode execute(String command, String arguments) throws IOException {
        return qmp.execute(command, arguments);
    }

    /** What the guest has printed so far. */
    public String serial() throws IOException {
        Path file = folder.resolve(name + ".serial");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    /** Waits until the guest has printed this. */
    public void awaitSerial(String text) {
        Awaitility.await(name + " prints " + text)
                .pollInterval(Duration.ofMillis(10))
                .atMost(PATIENCE)
                .until(() -> serial().contains(text));
    }

    /** Waits until a field of {@code query-migrate} has this value. */
    public void awaitMigration(String status) {
        Awaitility.await(name + "'s migration is " + status)
                .pollInterval(Duration.ofMillis(10))
                .atMost(PATIENCE)
                .until(() -> execute("query-migrate").path("status").asText().equals(status));
    }

    /** How it runs, as {@code query-status} says. */
    public String runState() throws IOException {
        return execute("query-status").path("status").asText();
    }

    /** Waits for a run state. */
    public void awaitRunState(String state) {
        Awaitility.await(name + " is " + state)
                .pollInterval(Duration.ofMillis(10))
                .atMost(PATIENCE)
                .until(() -> runState().equals(state));
    }

    /** The guest's pages by the rule and its own count, the guest standing still. */
    public Verdict check(PageRule rule) throws IOException {
        return rule.check(dump(rule), counted());
    }

    /** The guest's pages in a file. */
    public Path dump(PageRule rule) throws IOException {
        Path dump = folder.resolve(name + "." + dumps++ + ".dump");
        execute(
                "pmemsave",
                "{\"val\": %d, \"size\": %d, \"filename\": \"%s\"}".formatted(rule.firstGpa(), rule.bytes(), dump));
        return dump;
    }

    /** The guest's count of its additions. QMP has no command for registers; the human monitor has. */
    public OptionalLong counted() throws IOException {
        String registers = execute("human-monitor-command", "{\"command-line\": \"info registers\"}")
                .asText();
        Matcher r15 = R15.matcher(registers);
        assertThat(r15.find()).as("r15 in %s", registers).isTrue();
        return OptionalLong.of(Long.parseUnsignedLong(r15.group(1), 16));
    }

    /** Ends it in good order: locks are released, files written. */
    public void quit() throws Exception {
        execute("quit");
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("%s ended", name)
                .isTrue();
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        qmp.close();
    }
}
