package io.godwit.agent;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a host agent is started with.
 *
 * @param id id of the host, unique in the fleet and kept in the data folder: an agent with another id refuses to start
 *     there
 * @param address address to bind and to be reached at
 * @param clusterPort port of the cluster connection; 0 for any free one
 * @param dataPort port for migration streams; 0 for any free one
 * @param seedNodes {@code host:port} of coordinators to join by
 * @param dataDir folder for its identity and run log; made when missing
 * @param memoryBytes guest RAM it may give out
 * @param devices size of each device pool, by device model
 * @param incomingMax migrations it takes at the same time
 * @param outgoingMax migrations it sends at the same time
 * @param defaultDriver driver for specs that say {@code auto}: {@code auto}, {@code kvm} or {@code soft}
 */
public record HostOptions(
        String id,
        String address,
        int clusterPort,
        int dataPort,
        List<String> seedNodes,
        Path dataDir,
        long memoryBytes,
        Map<String, Integer> devices,
        int incomingMax,
        int outgoingMax,
        String defaultDriver) {
    public HostOptions {
        seedNodes = List.copyOf(seedNodes);
        devices = Map.copyOf(devices);
    }
}
