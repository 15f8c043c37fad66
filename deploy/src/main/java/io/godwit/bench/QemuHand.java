package io.godwit.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A guest that is migrated by hand: QMP alone, in the order that QEMU's own documentation has, with nobody's consent asked and
 * nothing written down. Its QEMUs have the command line of a guest of Godwit's, and its migrations the same capabilities and
 * parameters; whatever QEMU says is acted upon at once.
 */
final class QemuHand implements AutoCloseable {
    /** As Godwit has them while it copies, with no limits given. */
    private static final String SOURCE_PARAMETERS =
            "{\"downtime-limit\":1,\"max-bandwidth\":100000000000,\"multifd-channels\":2,\"cpu-throttle-initial\":1,"
                    + "\"cpu-throttle-increment\":1,\"max-cpu-throttle\":1}";

    private static final List<String> BOTH = List.of("events", "return-path", "validate-uuid");

    private final Path model;
    private final List<String> line;
    private final Path folder;
    private final int cores;
    private int made;
    private @Nullable One running;

    private record One(Path folder, Process process, QmpTap tap) {}

    /**
     * With the command line of the QEMU of process {@code pid}, whose files are in {@code model}.
     *
     * @param folder where its own files go
     * @param cores of which every other QEMU has one half, and the ones between the other; 0: all have all
     */
    QemuHand(long pid, Path model, Path folder, int cores) throws IOException {
        this.model = model;
        this.folder = folder;
        this.cores = cores;
        String line = Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.UTF_8);
        this.line = Arrays.asList(line.substring(0, line.length() - 1).split("\0"));
    }

    static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    /** Starts the guest, and returns when it has booted. */
    void boot() throws IOException, InterruptedException {
        One one = launch(false);
        running = one;
        one.tap().call("cont", "{}");
        awaitBooted(one.folder().resolve("serial.log"));
    }

    /** Waits until the guest whose serial console goes to that file has prepared its memory. */
    static void awaitBooted(Path serial) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (!Files.exists(serial) || !Files.readString(serial).contains("G")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("the guest of " + serial + " did not boot within 120 s");
            }
            Thread.sleep(50);
        }
    }

    /** Keeps the guest from using the processor, or lets it. */
    void runs(boolean on) throws IOException {
        if (running != null) {
            running.tap().call(on ? "cont" : "stop", "{}");
        }
    }

    private One launch(boolean incoming) throws IOException, InterruptedException {
        Path here = Files.createDirectories(folder.resolve("h" + ++made));
        Files.copy(model.resolve("workload.img"), here.resolve("workload.img"));
        // in a session of its own, as Godwit's: where the scheduler groups by session, it shares out the processor by
        // them
        List<String> command = new ArrayList<>(List.of("setsid"));
        if (cores > 0) {
            command.addAll(OwnCores.of(made % 2, 2, cores));
        }
        for (int i = 0; i < line.size(); i++) {
            if (line.get(i).equals("-incoming")) {
                i++;
            } else {
                command.add(line.get(i).replace(model.toString(), here.toString()));
            }
        }
        if (incoming) {
            command.addAll(List.of("-incoming", "defer"));
        }
        Process process = new ProcessBuilder(command)
                .directory(here.toFile())
                .redirectErrorStream(true)
                .redirectOutput(here.resolve("stderr.log").toFile())
                .start();
        return new One(here, process, QmpTap.open(here.resolve("qmp")));
    }

    /** Migrates the guest to a QEMU that it starts, and ends the one it came from. */
    QemuRun migrate() throws IOException, InterruptedException {
        One from = running;
        if (from == null) {
            throw new IllegalStateException("it has not been booted");
        }
        long asked = now();
        One to = launch(true);
        to.tap().call("migrate-set-capabilities", capabilities("late-block-activate"));
        to.tap().call("migrate-set-parameters", "{\"multifd-channels\":2}");
        to.tap().call("migrate-incoming", "{\"uri\":\"tcp:127.0.0.1:0\"}");
        String port = to.tap()
                .call("query-migrate", "{}")
                .path("socket-address")
                .path(0)
                .path("port")
                .asText();
        QmpTap source = from.tap();
        source.call("migrate-set-capabilities", capabilities("pause-before-switchover", "auto-converge"));
        source.call("migrate-set-parameters", SOURCE_PARAMETERS);
        source.call("migrate", "{\"uri\":\"tcp:127.0.0.1:" + port + "\"}");
        source.await("MIGRATION", "pre-switchover", asked);
        source.call("migrate-continue", "{\"state\":\"pre-switchover\"}");
        source.await("MIGRATION", "completed", asked);
        to.tap().await("MIGRATION", "completed", asked);
        to.tap().call("cont", "{}");
        long ran = to.tap().await("RESUME", asked);
        source.call("quit", "{}");
        from.process().waitFor();
        long gone = now();
        running = to;
        QemuRun run = QemuRun.of(source, to.tap(), asked, ran, gone);
        source.close();
        return run;
    }

    private static String capabilities(String... more) {
        List<String> all = new ArrayList<>(BOTH);
        all.addAll(List.of(more));
        List<String> on = all.stream()
                .map(name -> "{\"capability\":\"" + name + "\",\"state\":true}")
                .toList();
        return "{\"capabilities\":[" + String.join(",", on) + "]}";
    }

    @Override
    public void close() {
        if (running != null) {
            running.tap().close();
            running.process().destroyForcibly();
        }
    }
}
