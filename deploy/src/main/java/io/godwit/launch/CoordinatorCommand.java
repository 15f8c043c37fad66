package io.godwit.launch;

import io.godwit.api.ApiServer;
import io.godwit.cli.CliFailure;
import io.godwit.cli.Shell;
import io.godwit.fleet.CoordinatorNode;
import io.godwit.fleet.NodeOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
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

    @Option(names = "--seed", paramLabel = "HOST:PORT", description = "A coordinator to join (default: a new cluster).")
    List<String> seeds = new ArrayList<>();

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
        NodeOptions options;
        try {
            options = new NodeOptions(address, clusterPort, data, seeds);
        } catch (IllegalArgumentException e) {
            throw CliFailure.usage("coordinator: " + e.getMessage());
        }
        try (DataFolder _ = DataFolder.lock(data)) {
            return run(options);
        }
    }

    private int run(NodeOptions options) throws InterruptedException {
        CoordinatorNode node;
        try {
            node = CoordinatorNode.start(options);
        } catch (IOException e) {
            throw CliFailure.failed("the coordinator did not start: " + e.getMessage());
        }
        int bound;
        try {
            bound = ApiServer.port(ApiServer.start(node.system(), node.coordinator(), bind, port)
                    .toCompletableFuture()
                    .join());
        } catch (CompletionException e) {
            node.close();
            throw CliFailure.failed("the HTTP API cannot listen on " + bind + ":" + port + ": " + Foreground.reason(e));
        }
        String ready = "godwit coordinator ready: http " + bind + ":" + bound + ", cluster " + address + ":"
                + node.clusterPort();
        return new Foreground(shell, dieWithParent).run(ready, node.ended(), node::close);
    }
}
