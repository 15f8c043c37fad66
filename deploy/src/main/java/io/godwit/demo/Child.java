package io.godwit.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One process of the demo, started with this JVM's own Java. It ends with this process, however this one
 * ends: its standard input is a pipe whose other end we hold.
 */
final class Child implements AutoCloseable {
    private static final long POLL_MS = 20;

    private final String name;
    private final Process process;
    private final Path out;
    private final Path log;
    private final long logBegan;

    private Child(String name, Process process, Path out, Path log, long logBegan) {
        this.name = name;
        this.process = process;
        this.out = out;
        this.log = log;
        this.logBegan = logBegan;
    }

    /**
     * Starts {@code godwit arguments}; output goes to files named after it in {@code folder}, the log behind that of the one
     * before it, if any.
     *
     * @param placing makes of a command one that runs where the process belongs
     */
    static Child start(
            String name,
            Path folder,
            UnaryOperator<List<String>> placing,
            List<String> jvmOptions,
            String classPath,
            List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", classPath, "io.godwit.launch.Main"));
        command.addAll(arguments);
        command.add("--die-with-parent");
        Path out = folder.resolve(name + ".out");
        Path log = folder.resolve(name + ".log");
        long logBegan = Files.exists(log) ? Files.size(log) : 0;
        Process process = new ProcessBuilder(placing.apply(command))
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new Child(name, process, out, log, logBegan);
    }

    /**
     * Waits for its line that says it is ready.
     *
     * @return the match, for the ports in it
     * @throws IOException when it ends or stays silent: with the end of its log
     */
    Matcher awaitReady(Pattern line, Duration limit) throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (true) {
            boolean alive = process.isAlive();
            Matcher matcher = line.matcher(Files.readString(out));
            if (matcher.find()) {
                return matcher;
            }
            if (!alive) {
                throw new IOException(
                        name + " ended with exit code " + process.exitValue() + " before it was ready: " + lastLine());
            }
            if (System.nanoTime() - began > limit.toNanos()) {
                throw new IOException(
                        name + " was not ready within " + limit.toSeconds() + " s; its last line: " + lastLine());
            }
            // its end is worth waking for; its line in a file is not told to anyone
            process.waitFor(POLL_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** Name of the process. */
    String name() {
        return name;
    }

    /** Its process id. */
    long pid() {
        return process.pid();
    }

    /** Whether it runs. */
    boolean alive() {
        return process.isAlive();
    }

    /** Asks it to end; returns at once. */
    void ask() {
        process.destroy();
    }

    /** Waits for its end, and ends it by force when it takes too long. */
    void await(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** What it said last; its own word of why it failed before anything its libraries logged after that. */
    private String lastLine() throws IOException {
        String last = "(nothing said)";
        byte[] all = Files.readAllBytes(log);
        int from = (int) Math.min(logBegan, all.length);
        String own = new String(all, from, all.length - from, StandardCharsets.UTF_8);
        for (String line : own.lines().toList()) {
            if (line.startsWith("godwit: ")) {
                return line.substring("godwit: ".length());
            }
            last = line.isBlank() ? last : line;
        }
        return last;
    }
}
