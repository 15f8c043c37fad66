package io.godwit.launch;

import com.typesafe.config.Config;
import io.godwit.api.ApiServer;
import io.godwit.fleet.CoordinatorNode;
import io.godwit.fleet.NodeOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A coordinator for as long as its process lives. A node that the others have given up, or that has stopped because it saw
 * too few of them, ends with its actor system; another one joins in its place, at the same ports.
 */
final class CoordinatorProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorProcess.class);

    private final Config config;
    private final String bind;
    private final Duration pause;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private NodeOptions options;
    private volatile CoordinatorNode node;
    private int port;

    private CoordinatorProcess(NodeOptions options, Config config, String bind, int port, Duration pause)
            throws IOException {
        this.options = options;
        this.config = config;
        this.bind = bind;
        this.port = port;
        this.pause = pause;
        this.node = start();
    }

    /**
     * Starts the first node.
     *
     * @param config wins over every other setting
     * @param bind address of the HTTP API
     * @param port of the HTTP API; 0 for any
     * @param pause before another node joins in place of one that has ended
     * @throws IOException when the store, the data folder or a port cannot be had: which, and why
     */
    static CoordinatorProcess start(NodeOptions options, Config config, String bind, int port, Duration pause)
            throws IOException {
        CoordinatorProcess process = new CoordinatorProcess(options, config, bind, port, pause);
        Thread.ofPlatform().daemon().name("coordinator").start(process::stayJoined);
        return process;
    }

    /** Port of the HTTP API. */
    int port() {
        return port;
    }

    /** Port of the cluster connection. */
    int clusterPort() {
        return options.clusterPort();
    }

    /** Completes when the process should end. */
    CompletionStage<?> ended() {
        return ended;
    }

    /** Leaves the cluster in order. */
    @Override
    public void close() {
        closing.countDown();
        node.close();
    }

    private CoordinatorNode start() throws IOException {
        CoordinatorNode started = CoordinatorNode.start(options, config);
        try {
            port = ApiServer.port(ApiServer.start(started.system(), started.coordinator(), bind, port)
                    .toCompletableFuture()
                    .join());
        } catch (CompletionException e) {
            started.close();
            throw new IOException(
                    "the HTTP API cannot listen on " + bind + ":" + port + ": " + Foreground.reason(e), e);
        }
        options = new NodeOptions(options.clusterHost(), started.clusterPort(), options.dataDir(), options.seedNodes());
        return started;
    }

    private void stayJoined() {
        try {
            while (true) {
                node.ended().toCompletableFuture().join();
                if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                    break;
                }
                LOG.warn("this coordinator is out of the cluster, and joins anew");
                try {
                    node = start();
                } catch (IOException e) {
                    LOG.error("this coordinator cannot start anew yet: {}", e.getMessage());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ended.complete(null);
    }
}
