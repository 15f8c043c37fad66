package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * All a host says of itself; sent whole, so that a lost one does no harm.
 *
 * @param host its id, unique in the fleet
 * @param incarnation changes whenever the agent process is a new one: native guests of an earlier one are gone
 * @param sequence grows with every report of this incarnation; an older one is ignored
 * @param capacity what it can hold
 * @param drivers guest drivers that work here, best first
 * @param endpoint where it takes migration streams
 * @param qemu what its QEMU can be; empty for a host without one, or whose QEMU has not said yet
 * @param vms every VM it holds, incoming copies included
 */
public record HostInventory(
        String host,
        String incarnation,
        long sequence,
        HostCapacity capacity,
        List<String> drivers,
        DataEndpoint endpoint,
        Optional<QemuAbility> qemu,
        List<VmStatus> vms)
        implements WireMessage {
    public HostInventory {
        drivers = List.copyOf(drivers);
        vms = List.copyOf(vms);
    }

    /** A host without QEMU. */
    public HostInventory(
            String host,
            String incarnation,
            long sequence,
            HostCapacity capacity,
            List<String> drivers,
            DataEndpoint endpoint,
            List<VmStatus> vms) {
        this(host, incarnation, sequence, capacity, drivers, endpoint, Optional.empty(), vms);
    }
}
