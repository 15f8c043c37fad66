package io.godwit.agent;

import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceModels;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Two hosts on which one thing fails: the last device of the VM, on either host, or the wire. */
final class FaultyHosts implements AutoCloseable {
    private final Map<String, DeviceFaults> atSource = new ConcurrentHashMap<>();
    private final Map<String, DeviceFaults> atDestination = new ConcurrentHashMap<>();
    private final String last;
    final TwoHosts hosts;

    /** When a fault is switched on. */
    enum When {
        /** The VM runs, and nothing of the migration has begun. */
        AT_ONCE,
        /** It would switch over. */
        READY,
        /** The destination has loaded all. */
        LOADED
    }

    /** What fails, in which VM, and from when on. */
    record Fault(String label, DeviceSet set, When when, Consumer<FaultyHosts> on) {
        @Override
        public String toString() {
            return label + ", " + set;
        }
    }

    FaultyHosts(DeviceSet set) throws IOException {
        hosts = new TwoHosts(name -> of(atSource, name), name -> of(atDestination, name), DeviceModels::withFaults);
        last = set.devices().isEmpty() ? "" : set.devices().getLast().name();
    }

    private static DeviceFaults of(Map<String, DeviceFaults> faults, String device) {
        return faults.computeIfAbsent(device, _ -> new DeviceFaults());
    }

    /** Switches of the last device at the source. */
    DeviceFaults source() {
        return of(atSource, last);
    }

    /** Switches of the last device at the destination. */
    DeviceFaults destination() {
        return of(atDestination, last);
    }

    /** Name of the last device; empty without any. */
    String last() {
        return last;
    }

    /** Switches the fault on if its time has come. */
    void switchOn(Fault fault, When now) {
        if (fault.when == now) {
            fault.on.accept(this);
        }
    }

    @Override
    public void close() throws IOException {
        hosts.close();
    }
}
