package io.godwit.launch;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import io.godwit.cli.CliFailure;
import io.godwit.cli.Shell;
import io.godwit.fleet.NodeOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code coordinator}: runs a coordinator. */
@Command(name = "coordinator", description = "Runs a coordinator in the foreground.", sortOptions = false)
public final class CoordinatorCommand implements Callable<Integer> {
    private final Shell shell;

    @Option(names = "--port", defaultValue = "8400", description = "Port of the HTTP API (8400; 0: any free one).")
    int port;

    @Option(
            names = "--bind",
            defaultValue = "127.0.0.1",
            description = "Address of the HTTP API (127.0.0.1). It asks nobody for a password: bind it to a network"
                    + " only behind something that does.")
    String bind = "";

    @Option(names = "--address", defaultValue = "127.0.0.1", description = "Cluster address of this node (127.0.0.1).")
    String address = "";

    @Option(names = "--cluster-port", defaultValue = "25520", description = "Port of the cluster (25520; 0: any).")
    int clusterPort;

    @Option(
            names = "--seed",
            paramLabel = "HOST:PORT",
            split = ",",
            description =
                    "Cluster address of a coordinator, this one among them; the same list for each. May be repeated"
                            + " (default: this is the only one).")
    List<String> seeds = new ArrayList<>();

    @Option(
            names = "--store",
            paramLabel = "URL",
            description =
                    "PostgreSQL database that all coordinators share, such as jdbc:postgresql://db.example/godwit;"
                            + " user and password are $GODWIT_STORE_USER and $GODWIT_STORE_PASSWORD"
                            + " (default: a file in the data folder).")
    @Nullable
    String store;

    @Option(names = "--config", paramLabel = "FILE", description = "Settings; reference.conf says what there is.")
    @Nullable
    Path config;

    @Option(names = "--data", defaultValue = "godwit-coordinator", description = "Data folder (godwit-coordinator).")
    Path data = Path.of("");

    @Option(names = "--die-with-parent", hidden = true, description = "End when standard input does.")
    boolean dieWithParent;

    CoordinatorCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws InterruptedException {
        // a port that is taken is told of first: most often it is taken by the coordinator that has the folder, too
        Foreground.requireFree("--port", bind, port);
        Foreground.requireFree("--cluster-port", address, clusterPort);
        Config settings = settings();
        if (seeds.isEmpty()) {
            seeds = ConfigFactory.load(settings).getStringList("godwit.coordinator.seeds");
        }
        NodeOptions options;
        try {
            options = new NodeOptions(address, clusterPort, data, seeds);
        } catch (IllegalArgumentException e) {
            throw CliFailure.usage("coordinator: " + e.getMessage());
        }
        try (DataFolder _ = DataFolder.lock(data)) {
            return run(options, settings);
        }
    }

    private Config settings() {
        try {
            Config named = store == null
                    ? ConfigFactory.empty()
                    : ConfigFactory.parseMap(Map.of("godwit.coordinator.store.url", store), "--store");
            return config == null
                    ? named
                    : named.withFallback(ConfigFactory.parseFile(
                            config.toFile(), ConfigParseOptions.defaults().setAllowMissing(false)));
        } catch (ConfigException e) {
            throw CliFailure.usage("--config " + config + ": " + e.getMessage());
        }
    }

    private int run(NodeOptions options, Config settings) throws InterruptedException {
        CoordinatorProcess process;
        try {
            process = CoordinatorProcess.start(
                    options,
                    settings,
                    bind,
                    port,
                    ConfigFactory.load(settings).getDuration("godwit.cluster.rejoin-pause"));
        } catch (IOException e) {
            throw CliFailure.failed("the coordinator did not start: " + e.getMessage());
        }
        String ready = "godwit coordinator ready: http " + bind + ":" + process.port() + ", cluster " + address + ":"
                + process.clusterPort();
        return new Foreground(shell, dieWithParent).run(ready, process.ended(), process::close);
    }
}
