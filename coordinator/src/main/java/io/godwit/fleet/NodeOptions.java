package io.godwit.fleet;

import java.nio.file.Path;
import java.util.List;

/**
 * How a coordinator's process is to be started.
 *
 * @param clusterHost name or address under which the other nodes reach it
 * @param clusterPort port of the cluster connection; 0 for any free one (a restart then needs the others to be told)
 * @param dataDir folder of the journal; made when missing; one process at a time
 * @param seedNodes addresses {@code host:port} of all coordinators, this one among them, in the same order for each: the
 *     first founds the cluster; empty for the only one
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

    /** How many coordinators there should be, this one included. */
    public int coordinators() {
        String self = clusterHost + ":" + clusterPort;
        int others = (int)
                seedNodes.stream().distinct().filter(seed -> !seed.equals(self)).count();
        return others + 1;
    }
}
