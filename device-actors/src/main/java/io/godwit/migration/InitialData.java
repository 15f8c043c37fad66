package io.godwit.migration;

import io.godwit.stream.DeviceIdentity;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whose initial data a destination has still to load before the source may stop (QEMU's switchover-ack). For one thread. */
final class InitialData {
    private final Set<String> awaited = new HashSet<>();

    /** Of all devices of a VM; only those with pre-copy have initial data. */
    InitialData(List<DeviceIdentity> devices) {
        for (DeviceIdentity device : devices) {
            if (device.preCopy()) {
                awaited.add(device.name());
            }
        }
    }

    /** Whether none is awaited (any more): the source may stop as far as initial data goes. */
    boolean complete() {
        return awaited.isEmpty();
    }

    /** That of {@code device} is loaded; whether it was the last one awaited. */
    boolean loaded(String device) {
        return awaited.remove(device) && awaited.isEmpty();
    }
}
