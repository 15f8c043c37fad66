package io.godwit.proto.fleet;

import io.godwit.proto.WireMessage;
import io.godwit.proto.host.HostInventory;
import java.util.Optional;

/**
 * One host as the coordinator sees it.
 *
 * @param host its id
 * @param state {@code UP}, {@code UNREACHABLE} (the cluster has lost sight of it) or {@code DOWN} (its agent is gone and
 *     its native guests with it)
 * @param cordoned whether nothing new may be placed on it
 * @param ageMs age of the inventory, in milliseconds
 * @param inventory what it last reported; empty when only its cordon is known
 */
public record HostView(String host, String state, boolean cordoned, long ageMs, Optional<HostInventory> inventory)
        implements WireMessage {}
