package io.godwit.stream;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the preamble has announced and what of it has come. A device's chunks come in any number, state given out while it
 * ran before state given out while it stood still, among the former at most one end of its initial data, its config at any
 * point, then one end; each vCPU comes once; the stream ends when all of that is there.
 */
final class FrameOrder {
    private final Preamble preamble;
    /** By device: the kind of state seen last, null before any. */
    private final Map<String, @Nullable DeviceChunkKind> devices = new HashMap<>();

    private final Set<String> withPreCopy = new HashSet<>();

    /** Devices whose initial data has ended. */
    private final Set<String> initialEnded = new HashSet<>();

    private final Set<Integer> vcpus = new HashSet<>();

    FrameOrder(Preamble preamble) {
        this.preamble = preamble;
        for (DeviceIdentity device : preamble.devices()) {
            devices.put(device.name(), null);
            if (device.preCopy()) {
                withPreCopy.add(device.name());
            }
        }
    }

    void device(String name, DeviceChunkKind kind, int bytes) throws StreamException {
        if (!devices.containsKey(name)) {
            throw new StreamException(
                    "chunk of device " + name + ", which the preamble does not name; expected one of " + names());
        }
        DeviceChunkKind last = devices.get(name);
        if (last == DeviceChunkKind.END) {
            throw new StreamException(
                    kind + " chunk of device " + name + " after its END; expected nothing more of it");
        }
        switch (kind) {
            case CONFIG -> {}
            case PRECOPY -> {
                beforeStop(name, kind, last);
                devices.put(name, kind);
            }
            case INITIAL_END -> {
                empty(name, kind, bytes);
                beforeStop(name, kind, last);
                if (!withPreCopy.contains(name)) {
                    throw new StreamException(
                            "INITIAL_END of device " + name + ", which has no pre-copy; expected none of it");
                }
                if (!initialEnded.add(name)) {
                    throw new StreamException("INITIAL_END of device " + name + " a second time; expected it once");
                }
            }
            case STOPCOPY -> devices.put(name, kind);
            case END -> {
                empty(name, kind, bytes);
                devices.put(name, kind);
            }
        }
    }

    private static void beforeStop(String name, DeviceChunkKind kind, @Nullable DeviceChunkKind last)
            throws StreamException {
        if (last == DeviceChunkKind.STOPCOPY) {
            throw new StreamException(
                    kind + " chunk of device " + name + " after STOPCOPY; expected STOPCOPY, CONFIG or END");
        }
    }

    private static void empty(String name, DeviceChunkKind kind, int bytes) throws StreamException {
        if (bytes != 0) {
            throw new StreamException(kind + " of device " + name + " with " + bytes + " bytes; expected no payload");
        }
    }

    void vcpu(int index) throws StreamException {
        if (index < 0 || index >= preamble.vcpus()) {
            throw new StreamException("state of vCPU " + index + "; expected 0 to " + (preamble.vcpus() - 1));
        }
        if (!vcpus.add(index)) {
            throw new StreamException("state of vCPU " + index + " a second time; expected it once");
        }
    }

    void end(Digests digests, boolean verify) throws StreamException {
        for (DeviceIdentity device : preamble.devices()) {
            if (devices.get(device.name()) != DeviceChunkKind.END) {
                throw new StreamException("end of stream before the END of device " + device.name());
            }
        }
        for (int i = 0; i < preamble.vcpus(); i++) {
            if (!vcpus.contains(i)) {
                throw new StreamException("end of stream before the state of vCPU " + i);
            }
        }
        if (verify != preamble.verify()) {
            throw new StreamException(
                    "end of stream says verify " + verify + ", the preamble says " + preamble.verify());
        }
        for (String name : digests.devices().keySet()) {
            if (!devices.containsKey(name)) {
                throw new StreamException(
                        "digest of device " + name + ", which the preamble does not name; expected one of " + names());
            }
        }
    }

    private Set<String> names() {
        return new TreeSet<>(devices.keySet());
    }
}
