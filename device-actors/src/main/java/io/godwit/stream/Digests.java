package io.godwit.stream;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * What a VM holds while it stands still, in a few numbers: equal on both sides when the state is.
 *
 * @param ram {@link RamDigest} of all guest RAM
 * @param devices digest of each device's state and config, by name
 * @param vcpus {@link #ofVcpus} of the vCPU states
 */
public record Digests(long ram, Map<String, Long> devices, long vcpus) {
    /** For a stream without verification. */
    public static final Digests NONE = new Digests(0, Map.of(), 0);

    public Digests {
        devices = Map.copyOf(devices);
    }

    /** Digest of vCPU states in index order: their lengths, places and bytes all count. */
    public static long ofVcpus(List<byte[]> states) {
        long digest = Mix.of(states.size());
        CRC32C crc = new CRC32C();
        for (byte[] state : states) {
            crc.reset();
            crc.update(state);
            digest = Mix.of(digest ^ crc.getValue() ^ ((long) state.length << 32));
        }
        return digest;
    }

    /** The first thing that differs, with both values; these are the source's digests, {@code other} the destination's. */
    public Optional<String> difference(Digests other) {
        if (ram != other.ram) {
            return Optional.of(text("RAM", ram, other.ram));
        }
        SortedSet<String> names = new TreeSet<>(devices.keySet());
        names.addAll(other.devices.keySet());
        for (String name : names) {
            Long here = devices.get(name);
            Long there = other.devices.get(name);
            if (here == null || there == null) {
                return Optional.of(
                        "device " + name + " has no digest at the " + (here == null ? "source" : "destination"));
            }
            if (!here.equals(there)) {
                return Optional.of(text("device " + name, here, there));
            }
        }
        return vcpus == other.vcpus ? Optional.empty() : Optional.of(text("vCPU state", vcpus, other.vcpus));
    }

    private static String text(String what, long here, long there) {
        return what + " differs: digest " + hex(here) + " at the source, " + hex(there) + " at the destination";
    }

    private static String hex(long value) {
        return String.format("%016x", value);
    }
}
