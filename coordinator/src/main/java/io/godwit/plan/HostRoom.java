package io.godwit.plan;

import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What one host has left.
 *
 * @param host its id
 * @param closed why nothing may be placed there, if so, such as {@code is cordoned}
 * @param memoryBytes guest RAM it may give out
 * @param usedBytes given out: every VM there, copies on their way in, and what is planned
 * @param devices size of each device pool, by model
 * @param usedDevices taken from each pool
 * @param drivers guest drivers that work there
 * @param qemu what its QEMU can be, if it has said
 * @param held names of VMs it holds or will hold
 * @param outgoingMax migrations it sends at a time
 * @param incomingMax migrations it takes at a time
 */
public record HostRoom(
        String host,
        Optional<String> closed,
        long memoryBytes,
        long usedBytes,
        Map<String, Integer> devices,
        Map<String, Integer> usedDevices,
        List<String> drivers,
        Optional<QemuAbility> qemu,
        List<String> held,
        int outgoingMax,
        int incomingMax) {
    private static final long MIB = 1 << 20;

    public HostRoom {
        devices = Map.copyOf(devices);
        usedDevices = Map.copyOf(usedDevices);
        drivers = List.copyOf(drivers);
        held = List.copyOf(held);
    }

    /** One thing that a VM needs and this host does not have. */
    public record Lack(String need, String noun, String found) {}

    /** Whether a VM of that name is, or will be, here. */
    public boolean holds(String vm) {
        return held.contains(vm);
    }

    /** The same host after it has taken {@code spec}. */
    public HostRoom plus(VmSpec spec) {
        List<String> holding = new ArrayList<>(held);
        holding.add(spec.name());
        return changed(spec, 1, holding);
    }

    /** The same host after {@code spec}, which it holds, has left it. */
    public HostRoom minus(VmSpec spec) {
        List<String> holding = new ArrayList<>(held);
        holding.remove(spec.name());
        return changed(spec, -1, holding);
    }

    private HostRoom changed(VmSpec spec, int by, List<String> holding) {
        Map<String, Integer> taken = new HashMap<>(usedDevices);
        spec.devices().stream().map(DeviceSpec::model).forEach(model -> taken.merge(model, by, Integer::sum));
        return new HostRoom(
                host,
                closed,
                memoryBytes,
                usedBytes + by * spec.memoryBytes(),
                devices,
                taken,
                drivers,
                qemu,
                holding,
                outgoingMax,
                incomingMax);
    }

    /** What no room here would help against: a driver or an ability that it does not have. */
    List<Lack> unable(VmSpec spec) {
        List<Lack> lacks = new ArrayList<>();
        if (!spec.driver().equals("auto") && !drivers.contains(spec.driver())) {
            lacks.add(new Lack("the " + spec.driver() + " driver", "", "has only " + String.join(", ", drivers)));
        }
        if (spec.driver().equals("qemu")) {
            qemu.ifPresent(ability -> ability.missing(spec.qemu().orElse(QemuSpec.DEFAULT))
                    .forEach(missing -> lacks.add(new Lack(missing.need(), "", missing.found()))));
        }
        return lacks;
    }

    /** What is missing here for {@code spec}; empty when it fits (whether the host is closed is not asked). */
    public List<Lack> lacks(VmSpec spec) {
        List<Lack> lacks = unable(spec);
        lacks.addAll(crowded(spec));
        return lacks;
    }

    /** What {@code spec} would have here if others had not taken it, or if there were more of it. */
    public List<Lack> crowded(VmSpec spec) {
        List<Lack> lacks = new ArrayList<>();
        if (memoryBytes - usedBytes < spec.memoryBytes()) {
            lacks.add(new Lack(
                    mib(spec.memoryBytes()),
                    "",
                    "has " + mib(Math.max(0, memoryBytes - usedBytes)) + " free of " + mib(memoryBytes)));
        }
        demand(spec).forEach((model, wanted) -> {
            int pool = devices.getOrDefault(model, 0);
            int free = Math.max(0, pool - usedDevices.getOrDefault(model, 0));
            if (free < wanted) {
                lacks.add(new Lack(wanted + " " + model, " " + model, "has " + free + "%s free of " + pool));
            }
        });
        return lacks;
    }

    private static Map<String, Integer> demand(VmSpec spec) {
        Map<String, Integer> demand = new TreeMap<>();
        spec.devices().stream().map(DeviceSpec::model).forEach(model -> demand.merge(model, 1, Integer::sum));
        return demand;
    }

    private static String mib(long bytes) {
        return bytes / MIB + " MiB";
    }
}
