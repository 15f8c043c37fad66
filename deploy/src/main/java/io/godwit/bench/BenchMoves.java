package io.godwit.bench;

import io.godwit.api.MigrationBody;
import io.godwit.api.OptionsBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** What benchmarks of whole migrations ask of a coordinator. Every method waits until it is done. */
final class BenchMoves {
    private static final int HOSTS_SECONDS_MAX = 60;

    private final ApiClient client;

    BenchMoves(ApiClient client) {
        this.client = client;
    }

    /** Waits until {@code hosts} hosts are up and have reported. */
    void awaitHosts(int hosts) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HOSTS_SECONDS_MAX);
        while (System.nanoTime() < deadline) {
            int up = 0;
            for (var host : client.get(ApiClient.path("hosts")).path("hosts")) {
                up += host.path("state").asText().equals("UP") && host.hasNonNull("inventory") ? 1 : 0;
            }
            if (up == hosts) {
                return;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        }
        throw new IOException(hosts + " hosts were not up within " + HOSTS_SECONDS_MAX + " s");
    }

    void create(VmBody vm) {
        client.post(ApiClient.path("vms"), vm);
    }

    void destroy(String vm) {
        client.delete(ApiClient.path("vms", vm));
    }

    /**
     * Moves {@code vm} to host {@code to}.
     *
     * @throws IOException when the migration does not complete: why
     */
    MigrationView migrate(String vm, String to, boolean verify) throws IOException {
        return migrate(vm, to, new OptionsBody(null, verify, null, null), _ -> {});
    }

    /** As {@link #migrate(String, String, boolean)}; {@code seen} gets some of the source's words of progress. */
    MigrationView migrate(String vm, String to, OptionsBody options, Consumer<Progress> seen) throws IOException {
        String id = client.view(
                        client.post(ApiClient.path("migrations"), new MigrationBody(vm, to, options)),
                        MigrationView.class)
                .id();
        while (true) {
            MigrationView view = client.view(client.get(ApiClient.path("migrations", id)), MigrationView.class);
            view.progress().ifPresent(seen);
            if (view.phase() == MigrationPhase.COMPLETED) {
                return view;
            }
            if (view.phase().ended()) {
                throw new IOException("migration " + id + " of " + vm + " " + view.phase() + ": "
                        + view.reason().orElse("no reason given"));
            }
            // rarely: the coordinator shares its cores with what is measured
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(250));
        }
    }
}
