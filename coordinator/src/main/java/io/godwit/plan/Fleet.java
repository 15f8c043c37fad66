package io.godwit.plan;

import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The fleet as the planner sees it: what each host has left, and what each VM needs.
 *
 * @param hosts hosts by name
 * @param vms VMs that are on a host, by name
 */
public record Fleet(Map<String, HostRoom> hosts, Map<String, PlacedVm> vms) {
    /**
     * A VM where it is now.
     *
     * @param blockers why it cannot be migrated as it is now, as its host says; empty when nothing is known against it
     */
    public record PlacedVm(VmSpec spec, String host, List<String> blockers) {
        public PlacedVm {
            blockers = List.copyOf(blockers);
        }

        /** One against whose migration nothing is known. */
        public PlacedVm(VmSpec spec, String host) {
            this(spec, host, List.of());
        }
    }

    /** A VM that takes room of {@code host}: it will be there though its inventory may not say so yet, or still is. */
    public record Reservation(VmSpec spec, String host) {}

    public Fleet {
        hosts = Map.copyOf(hosts);
        vms = Map.copyOf(vms);
    }

    /** The planner's picture of what FleetView shows. */
    public static Fleet of(FleetShown shown) {
        Map<String, HostRoom> hosts = new TreeMap<>();
        for (HostView host : shown.hosts()) {
            hosts.put(host.host(), room(host));
        }
        Map<String, PlacedVm> vms = new TreeMap<>();
        Map<String, Map<String, List<String>>> blockers = blockers(shown);
        shown.vms()
                .forEach(vm -> vm.host()
                        .ifPresent(host -> vms.put(
                                vm.spec().name(),
                                new PlacedVm(
                                        vm.spec(),
                                        host,
                                        blockers.getOrDefault(host, Map.of())
                                                .getOrDefault(vm.spec().name(), List.of())))));
        return new Fleet(hosts, vms);
    }

    /** The same fleet with {@code reservations} taken off, those excepted that a host already reports. */
    public Fleet with(List<Reservation> reservations) {
        Map<String, HostRoom> changed = new HashMap<>(hosts);
        for (Reservation reservation : reservations) {
            changed.computeIfPresent(
                    reservation.host(),
                    (_, room) -> room.holds(reservation.spec().name()) ? room : room.plus(reservation.spec()));
        }
        return new Fleet(changed, vms);
    }

    /** The same fleet once these have left the hosts that they are on. */
    public Fleet without(List<Reservation> leaving) {
        Map<String, HostRoom> changed = new HashMap<>(hosts);
        for (Reservation one : leaving) {
            changed.computeIfPresent(
                    one.host(), (_, room) -> room.holds(one.spec().name()) ? room.minus(one.spec()) : room);
        }
        return new Fleet(changed, vms);
    }

    /**
     * What a VM of this fleet is.
     *
     * @throws IllegalArgumentException when it has none of that name
     */
    public VmSpec spec(String vm) {
        PlacedVm placed = vms.get(vm);
        if (placed == null) {
            throw new IllegalArgumentException("vm '" + vm + "' is on no host");
        }
        return placed.spec();
    }

    /** The same fleet as if {@code host} were the only place to go. */
    public Fleet only(String host) {
        HostRoom room = hosts.get(host);
        return new Fleet(room == null ? Map.of() : Map.of(host, room), vms);
    }

    /** What is known against the migration of VMs, by host and VM: those that are there, not copies on their way in. */
    private static Map<String, Map<String, List<String>>> blockers(FleetShown shown) {
        Map<String, Map<String, List<String>>> blockers = new HashMap<>();
        for (HostView host : shown.hosts()) {
            for (VmStatus vm :
                    host.inventory().map(inventory -> inventory.vms()).orElse(List.of())) {
                if (!vm.incoming() && !vm.blockers().isEmpty()) {
                    blockers.computeIfAbsent(host.host(), _ -> new HashMap<>())
                            .put(vm.spec().name(), vm.blockers());
                }
            }
        }
        return blockers;
    }

    /** What a host has left, as FleetView shows it. */
    public static HostRoom room(HostView view) {
        Optional<String> closed = switch (view.state()) {
            case "UP" -> view.cordoned() ? Optional.of("is cordoned") : Optional.empty();
            case "DOWN" -> Optional.of("is down");
            default -> Optional.of("is unreachable");
        };
        if (view.inventory().isEmpty()) {
            return new HostRoom(
                    view.host(),
                    Optional.of(closed.orElse("has not reported")),
                    0,
                    0,
                    Map.of(),
                    Map.of(),
                    List.of(),
                    Optional.empty(),
                    List.of(),
                    0,
                    0);
        }
        HostInventory inventory = view.inventory().get();
        long used = 0;
        Map<String, Integer> devices = new HashMap<>();
        List<String> held = new ArrayList<>();
        for (var vm : inventory.vms()) {
            used += vm.spec().memoryBytes();
            vm.spec().devices().stream().map(DeviceSpec::model).forEach(model -> devices.merge(model, 1, Integer::sum));
            held.add(vm.spec().name());
        }
        return new HostRoom(
                view.host(),
                closed,
                inventory.capacity().memoryBytes(),
                used,
                inventory.capacity().devices(),
                devices,
                inventory.drivers(),
                inventory.qemu(),
                held,
                inventory.capacity().outgoingMax(),
                inventory.capacity().incomingMax());
    }
}
