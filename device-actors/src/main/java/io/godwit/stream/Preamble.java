package io.godwit.stream;

import java.util.List;

/**
 * First frame of a stream: what is coming. The destination compares it with what it has prepared.
 *
 * @param migration the migration it belongs to
 * @param vm the VM
 * @param epoch epoch of the source's grant
 * @param pageSize bytes in a page
 * @param ramBytes guest RAM, from guest physical address 0
 * @param vcpus how many vCPU states will come
 * @param driver guest driver, whose vCPU format is used
 * @param devices the devices whose state will come
 * @param verify whether both sides digest all state while stopped, and compare
 */
public record Preamble(
        String migration,
        String vm,
        long epoch,
        int pageSize,
        long ramBytes,
        int vcpus,
        String driver,
        List<DeviceIdentity> devices,
        boolean verify) {
    public Preamble {
        devices = List.copyOf(devices);
    }
}
