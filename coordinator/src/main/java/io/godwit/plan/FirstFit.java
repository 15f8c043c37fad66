package io.godwit.plan;

import io.godwit.plan.Fleet.PlacedVm;
import io.godwit.plan.HostRoom.Lack;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Biggest VM first, each to the first host by name that has room. Moves nobody else. */
public final class FirstFit implements Planner {
    /** Hosts that a reason names: it is kept with each VM, and nobody reads thousands. */
    private static final int MOST_NAMED = 20;

    /** Big ones first, because small ones fill the gaps they leave; names make the order total. */
    private static final Comparator<PlacedVm> ORDER = Comparator.<PlacedVm>comparingLong(
                    vm -> -vm.spec().memoryBytes())
            .thenComparing(vm -> vm.spec().name());

    @Override
    public Plan plan(PlanRequest request) {
        Fleet fleet = request.fleet();
        Set<String> drained = request.drained();
        List<PlacedVm> movers = request.vms().stream()
                .map(name -> Optional.ofNullable(fleet.vms().get(name))
                        .orElseThrow(() -> new IllegalArgumentException("vm '" + name + "' is on no host")))
                .sorted(ORDER)
                .toList();
        Map<String, HostRoom> rooms = new TreeMap<>(fleet.hosts());
        List<Placement> placements = new ArrayList<>();
        for (PlacedVm vm : movers) {
            if (!vm.blockers().isEmpty()) {
                placements.add(new Placement(
                        vm.spec().name(),
                        vm.host(),
                        Optional.empty(),
                        Optional.of("cannot be migrated: " + String.join("; ", vm.blockers()))));
                continue;
            }
            Set<String> shunned = request.avoid().getOrDefault(vm.spec().name(), Set.of());
            Optional<String> to = rooms.values().stream()
                    .filter(room -> obstacle(room, vm, drained, shunned).isEmpty()
                            && room.lacks(vm.spec()).isEmpty())
                    .map(HostRoom::host)
                    .findFirst();
            to.ifPresent(host -> rooms.computeIfPresent(host, (_, room) -> room.plus(vm.spec())));
            Optional<String> reason = to.isPresent()
                    ? Optional.empty()
                    : Optional.of(explain(rooms.values().stream().toList(), vm, drained, shunned));
            placements.add(new Placement(vm.spec().name(), vm.host(), to, reason));
        }
        return new Plan(placements);
    }

    /** The first host by name that can take a new VM; a reason when there is none. */
    public static Placement placeNew(Fleet fleet, VmSpec spec, Optional<String> wanted) {
        var vm = new PlacedVm(spec, "");
        List<HostRoom> candidates = new TreeMap<>(fleet.hosts())
                .values().stream()
                        .filter(room -> wanted.isEmpty() || wanted.get().equals(room.host()))
                        .toList();
        Optional<String> to = candidates.stream()
                .filter(room -> room.closed().isEmpty() && room.lacks(spec).isEmpty())
                .map(HostRoom::host)
                .findFirst();
        return new Placement(
                spec.name(),
                "",
                to,
                to.isPresent() ? Optional.empty() : Optional.of(explain(candidates, vm, Set.of(), Set.of())));
    }

    /** Why {@code vm} can go to none of {@code rooms}; empty when it can. */
    static Optional<String> why(Map<String, HostRoom> rooms, PlacedVm vm, Set<String> drained, Set<String> shunned) {
        List<HostRoom> all = rooms.values().stream().toList();
        boolean fits = all.stream()
                .anyMatch(room -> obstacle(room, vm, drained, shunned).isEmpty()
                        && room.lacks(vm.spec()).isEmpty());
        return fits ? Optional.empty() : Optional.of(explain(all, vm, drained, shunned));
    }

    private static Optional<String> obstacle(HostRoom room, PlacedVm vm, Set<String> drained, Set<String> shunned) {
        if (drained.contains(room.host())) {
            return Optional.of("is being emptied");
        }
        if (room.closed().isPresent()) {
            return room.closed();
        }
        if (room.holds(vm.spec().name())) {
            return Optional.of("holds it already");
        }
        return shunned.contains(room.host()) ? Optional.of("has failed to take it") : Optional.empty();
    }

    /** Such as {@code needs 1 gpu: host-2 has 0 free of 1, host-3 is cordoned}. */
    private static String explain(List<HostRoom> rooms, PlacedVm vm, Set<String> drained, Set<String> shunned) {
        Set<String> needs = new LinkedHashSet<>();
        for (HostRoom room : rooms) {
            if (obstacle(room, vm, drained, shunned).isEmpty()) {
                room.lacks(vm.spec()).forEach(lack -> needs.add(lack.need()));
            }
        }
        List<String> hosts = new ArrayList<>();
        int others = 0;
        for (HostRoom room : rooms) {
            if (room.host().equals(vm.host()) || drained.contains(room.host())) {
                continue;
            }
            if (hosts.size() >= MOST_NAMED) {
                others++;
                continue;
            }
            String why = obstacle(room, vm, drained, shunned)
                    .orElseGet(() -> String.join(
                            " and ",
                            room.lacks(vm.spec()).stream()
                                    .map(lack -> found(lack, needs.size() > 1))
                                    .toList()));
            hosts.add(room.host() + " " + why);
        }
        return "needs " + (needs.isEmpty() ? "another host" : String.join(" and ", needs)) + ": "
                + (hosts.isEmpty() ? "there is none" : String.join(", ", hosts))
                + (others == 0 ? "" : ", and " + others + " others cannot take it either");
    }

    /** With one need only, its noun need not be said again for every host. */
    private static String found(Lack lack, boolean several) {
        return lack.found().replace("%s", several ? lack.noun() : "");
    }
}
