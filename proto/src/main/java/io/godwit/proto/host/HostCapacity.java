package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import java.util.Map;

/**
 * What a host can hold.
 *
 * @param memoryBytes guest RAM it may give out, incoming migrations included
 * @param devices size of each device pool, by device model
 * @param incomingMax migrations it takes at the same time
 * @param outgoingMax migrations it sends at the same time
 */
public record HostCapacity(long memoryBytes, Map<String, Integer> devices, int incomingMax, int outgoingMax)
        implements WireMessage {
    public HostCapacity {
        devices = Map.copyOf(devices);
    }
}
