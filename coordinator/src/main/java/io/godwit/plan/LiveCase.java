package io.godwit.plan;

import io.godwit.plan.Fleet.PlacedVm;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.TransferModel;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** A live fleet as the batch planner wants it: only what is to move, or may be moved, is a VM; all else is room that is taken. */
final class LiveCase {
    private static final String MEMORY = "memory";
    private static final String SWITCH = "fabric";
    private static final double BYTES_PER_MB = 1e6;

    private LiveCase() {}

    static PlanCase of(
            Fleet fleet,
            Set<String> drained,
            List<PlacedVm> movers,
            List<PlacedVm> neighbours,
            Map<String, Set<String>> avoid,
            long hostMbit,
            TransferModel transfer) {
        Map<String, HostRoom> rooms = new TreeMap<>(fleet.hosts());
        Map<String, Map<String, Long>> moving = new HashMap<>();
        List<PlacedVm> all = new ArrayList<>(movers);
        all.addAll(neighbours);
        for (PlacedVm vm : all) {
            Map<String, Long> of = moving.computeIfAbsent(vm.host(), _ -> new HashMap<>());
            demand(vm.spec()).forEach((resource, amount) -> of.merge(resource, amount, Long::sum));
        }
        List<PlanHost> hosts = new ArrayList<>();
        List<Link> links = new ArrayList<>();
        Set<String> leaving = new HashSet<>(drained);
        leaving.retainAll(rooms.keySet());
        rooms.forEach((name, room) -> {
            hosts.add(host(room, moving.getOrDefault(name, Map.of())));
            links.add(new Link(name, SWITCH, hostMbit));
        });
        for (PlacedVm vm : movers) {
            leaving.add(vm.host());
            if (rooms.get(vm.host()) == null
                    && links.stream().noneMatch(link -> link.a().equals(vm.host()))) {
                hosts.add(new PlanHost(
                        vm.host(), Map.of(), 0, 0, "is unknown", PlanHost.UNLIMITED, PlanHost.UNLIMITED, "", Set.of()));
                links.add(new Link(vm.host(), SWITCH, hostMbit));
            }
        }
        List<PlanVm> vms = new ArrayList<>();
        Map<String, List<String>> holders = new HashMap<>();
        rooms.values()
                .forEach(room -> room.held()
                        .forEach(held -> holders.computeIfAbsent(held, _ -> new ArrayList<>())
                                .add(room.host())));
        Map<Needs, Set<String>> unable = new HashMap<>();
        for (PlacedVm vm : all) {
            Set<String> banned = new HashSet<>(avoid.getOrDefault(vm.spec().name(), Set.of()));
            banned.addAll(holders.getOrDefault(vm.spec().name(), List.of()));
            banned.remove(vm.host());
            Set<String> shared = unable.computeIfAbsent(Needs.of(vm.spec()), _ -> unable(rooms, vm.spec()));
            if (!banned.isEmpty() || shared.contains(vm.host())) {
                banned.addAll(shared);
                banned.remove(vm.host());
            } else {
                banned = shared; // one set for a whole fleet of the same kind
            }
            vms.add(vm(vm, banned, most(hostMbit, transfer)));
        }
        return new PlanCase(
                hosts,
                vms,
                new Network(Map.of(SWITCH, Network.UNLIMITED), links, List.of()),
                List.of(),
                transfer,
                leaving,
                Map.of(),
                Long.MAX_VALUE);
    }

    private static PlanHost host(HostRoom room, Map<String, Long> moving) {
        Map<String, Long> capacity = new HashMap<>();
        // what is there and does not move has no VM in the case
        capacity.put(MEMORY, Math.max(0, room.memoryBytes() - room.usedBytes() + moving.getOrDefault(MEMORY, 0L)));
        room.devices().forEach((model, pool) -> {
            long used = room.usedDevices().getOrDefault(model, 0);
            capacity.put(device(model), Math.max(0, pool - used + moving.getOrDefault(device(model), 0L)));
        });
        return new PlanHost(
                room.host(),
                capacity,
                0,
                0,
                room.closed().orElse(""),
                // a host that takes none says so when it is asked; what it takes may change by then
                Math.max(1, room.outgoingMax()),
                Math.max(1, room.incomingMax()),
                "",
                Set.of());
    }

    /** What decides whether a host is able to run a VM at all: many VMs need the same. */
    private record Needs(String driver, String machine, Optional<String> cpu, String accelerator, boolean postcopy) {
        static Needs of(VmSpec spec) {
            QemuSpec qemu = spec.qemu().orElse(QemuSpec.DEFAULT);
            return new Needs(spec.driver(), qemu.machine(), qemu.cpu(), qemu.accelerator(), qemu.postcopy());
        }
    }

    private static Set<String> unable(Map<String, HostRoom> rooms, VmSpec spec) {
        Set<String> unable = new HashSet<>();
        rooms.values().stream().filter(room -> !room.unable(spec).isEmpty()).forEach(room -> unable.add(room.host()));
        return Set.copyOf(unable);
    }

    private static PlanVm vm(PlacedVm vm, Set<String> banned, long mostMbit) {
        return new PlanVm(
                vm.spec().name(),
                vm.host(),
                demand(vm.spec()),
                ram(vm.spec(), mostMbit),
                Long.MAX_VALUE,
                0,
                "",
                Set.of(),
                Set.of(),
                banned);
    }

    /** What one migration can have at most, Mbit/s. */
    static long most(long hostMbit, TransferModel transfer) {
        return Math.min(hostMbit, transfer.mostMbit());
    }

    private static String device(String model) {
        return "device " + model;
    }

    private static Map<String, Long> demand(VmSpec spec) {
        Map<String, Long> demand = new HashMap<>();
        demand.put(MEMORY, spec.memoryBytes());
        spec.devices().stream().map(DeviceSpec::model).forEach(model -> demand.merge(device(model), 1L, Long::sum));
        return demand;
    }

    /**
     * How its memory behaves, by its spec. A guest that writes faster than the link carries is taken to write half as fast as that: it
     * will be slowed down on the way, by its convergence policy, or the migration will say that it cannot be done.
     */
    static RamProfile ram(VmSpec spec, long mostMbit) {
        double memory = spec.memoryBytes() / BYTES_PER_MB;
        double hot = Math.min(memory, spec.workload().workingSetBytes() / BYTES_PER_MB);
        double rate = spec.workload().dirtyBytesPerSecond() / BYTES_PER_MB;
        double most = mostMbit / TransferModel.STANDARD.wireBitsPerByte() / 2;
        double seconds = hot / (rate > 0 ? Math.min(rate, most) : most);
        double pinned = spec.devices().stream()
                .mapToDouble(device -> (device.pinnedBytes() + device.stateBytes()) / BYTES_PER_MB)
                .sum();
        return new RamProfile(memory, hot, hot > 0 ? seconds : 1, 0, pinned);
    }
}
