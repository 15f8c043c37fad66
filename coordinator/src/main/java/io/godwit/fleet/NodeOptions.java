package io.godwit.fleet;

import java.nio.file.Path;
import java.util.List;

/**
 * How a coordinator's process is to be started.
 *
 * @param clusterHost name or address under which the other nodes reach it
 * @param clusterPort port of the cluster connection; 0 for any free one (a restart then needs the others to be told)
 * @param dataDir folder of the journal; made when missing; one process at a time
 * @param seedNodes addresses {@code host:port} of coordinators to join; empty to found a cluster
 */
public record NodeOptions(String clusterHost, int clusterPort, Path dataDir, List<String> seedNodes) {
    public NodeOptions {
        seedNodes = List.copyOf(seedNodes);
        if (clusterPort < 0 || clusterPort > 65535) {
            throw new IllegalArgumentException("cluster port is " + clusterPort + "; expected 0 to 65535");
        }
        for (String seed : seedNodes) {
            if (!seed.matches("[^:\\s]+:\\d{1,5}|\\[[0-9a-fA-F:]+\\]:\\d{1,5}")) {
                throw new IllegalArgumentException("seed node is '" + seed + "'; expected host:port");
            }
        }
    }
}
