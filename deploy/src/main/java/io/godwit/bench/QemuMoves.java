package io.godwit.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.MigrationBody;
import io.godwit.api.OptionsBody;
import io.godwit.cli.ApiClient;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.RunState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One QEMU guest that Godwit moves back and forth between two hosts, each move timed by the QEMUs themselves. */
final class QemuMoves implements AutoCloseable {
    /** Gives a guest's QEMUs the monitor that this listens to; each starts in its own folder. */
    static final List<String> ARGUMENTS = List.of("-qmp", "unix:bench,server=on,wait=off");

    private static final int LIMIT_SECONDS = 60;

    private final ApiClient client;
    private final Path hosts;
    private final String vm;
    private final OptionsBody options;
    private String at = "host-1";
    private QmpTap tap;

    /** One move, as the coordinator shows it and as the QEMUs tell. {@code run.gone()} may be 20 ms late. */
    record Moved(MigrationView view, QemuRun run) {}

    /** Of {@code vm}, which runs on host-1; {@code hosts}: where the hosts' data folders are. */
    QemuMoves(ApiClient client, Path hosts, String vm, OptionsBody options) throws IOException {
        this.client = client;
        this.hosts = hosts;
        this.vm = vm;
        this.options = options;
        this.tap = QmpTap.open(folder().resolve("bench"));
    }

    /** The folder of the QEMU that runs the guest now. */
    Path folder() {
        return folder(at);
    }

    private Path folder(String host) {
        return hosts.resolve(host).resolve("qemu").resolve(vm);
    }

    /** The host that it is on. */
    String at() {
        return at;
    }

    /** Keeps the guest from using the processor, or lets it; returns when the coordinator has heard of it. */
    void runs(boolean on) throws IOException {
        tap.call(on ? "cont" : "stop", "{}");
        String wanted = (on ? RunState.RUNNING : RunState.PAUSED).name();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!runState().equals(wanted)) {
            if (System.nanoTime() > deadline) {
                throw new IOException(vm + " was not " + wanted + " within " + LIMIT_SECONDS + " s");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private String runState() {
        for (JsonNode host : client.get(ApiClient.path("hosts")).path("hosts")) {
            for (JsonNode status : host.path("inventory").path("vms")) {
                if (host.path("host").asText().equals(at)
                        && status.path("spec").path("name").asText().equals(vm)) {
                    return status.path("runState").asText();
                }
            }
        }
        return "unknown";
    }

    /** To the other host. */
    Moved move() throws IOException, InterruptedException {
        String to = at.equals("host-1") ? "host-2" : "host-1";
        long asked = QemuHand.now();
        String id = client.view(
                        client.post(ApiClient.path("migrations"), new MigrationBody(vm, to, options)),
                        MigrationView.class)
                .id();
        QmpTap arriving = QmpTap.open(folder(to).resolve("bench"));
        long ran = arriving.await("RESUME", asked);
        MigrationView view = completed(id);
        QemuRun run = QemuRun.of(tap, arriving, asked, ran, QemuHand.now());
        tap.close();
        tap = arriving;
        at = to;
        return new Moved(view, run);
    }

    private MigrationView completed(String id) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (System.nanoTime() < deadline) {
            MigrationView view = client.view(client.get(ApiClient.path("migrations", id)), MigrationView.class);
            if (view.phase() == MigrationPhase.COMPLETED) {
                return view;
            }
            if (view.phase().ended()) {
                throw new IOException("migration " + id + " of " + vm + " " + view.phase() + ": "
                        + view.reason().orElse("no reason given"));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        throw new IOException("migration " + id + " of " + vm + " was not over within " + LIMIT_SECONDS + " s");
    }

    @Override
    public void close() {
        tap.close();
    }
}
