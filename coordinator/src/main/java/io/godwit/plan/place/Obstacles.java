package io.godwit.plan.place;

import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.SlotNeed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Why a VM has nowhere to go: for each host all that forbids it, and the fewest things that would have to change on one. */
final class Obstacles {
    /** Hosts named per obstacle; of the rest, how many. */
    private static final int NAMED = 3;

    private Obstacles() {}

    /** Why a given destination cannot be, leaving room aside, which the schedule decides. */
    static @Nullable Unmoved given(Rooms rooms, PlanVm vm, int to) {
        if (!vm.immovable().isEmpty()) {
            return new Unmoved(vm.name(), vm.immovable(), "a cold move, or taking away what pins it");
        }
        Map<String, String> all = bounds(rooms, vm, to);
        for (Map.Entry<String, Long> each : new TreeMap<>(vm.demand()).entrySet()) {
            long has = rooms.hosts[to].capacity().getOrDefault(each.getKey(), 0L);
            if (has < each.getValue()) {
                all.put("needs " + each.getValue() + " " + each.getKey(), "has " + has + " in all");
            }
        }
        if (all.isEmpty()) {
            return null;
        }
        List<String> reasons = new ArrayList<>();
        all.forEach((need, found) -> reasons.add(need + ": " + rooms.hosts[to].name() + " " + found));
        return new Unmoved(vm.name(), String.join("; ", reasons), "another destination");
    }

    static Unmoved explain(Rooms rooms, PlanVm vm) {
        Map<String, List<String>> byObstacle = new LinkedHashMap<>();
        List<Set<String>> perHost = new ArrayList<>();
        Map<String, String> fewest = Map.of();
        String where = "";
        for (int h = 0; h < rooms.hosts.length; h++) {
            if (h == rooms.where(vm)) {
                continue;
            }
            Map<String, String> obstacles = of(rooms, vm, h);
            String host = rooms.hosts[h].name();
            obstacles.forEach((need, found) ->
                    byObstacle.computeIfAbsent(need, _ -> new ArrayList<>()).add(host + " " + found));
            perHost.add(obstacles.keySet());
            if (where.isEmpty() || obstacles.size() < fewest.size()) {
                fewest = obstacles;
                where = host;
            }
        }
        if (where.isEmpty()) {
            return new Unmoved(vm.name(), "there is no other host", "one more host");
        }
        List<String> reasons = new ArrayList<>();
        SmallestSet.hitting(perHost)
                .forEach(need ->
                        reasons.add(need + ": " + String.join(", ", some(byObstacle.getOrDefault(need, List.of())))));
        List<String> wanted = new ArrayList<>();
        for (Map.Entry<String, String> each : fewest.entrySet()) {
            wanted.add("'" + each.getKey() + "' (" + where + " " + each.getValue() + ")");
        }
        return new Unmoved(
                vm.name(),
                String.join("; ", reasons),
                "one more host like " + where + " with room for it, or on " + where + " a change of "
                        + String.join(" and ", wanted));
    }

    private static List<String> some(List<String> found) {
        if (found.size() <= NAMED) {
            return found;
        }
        List<String> some = new ArrayList<>(found.subList(0, NAMED));
        some.add((found.size() - NAMED) + " more");
        return some;
    }

    /** All that keeps the VM from a host, and what the host says to that. */
    private static Map<String, String> of(Rooms rooms, PlanVm vm, int h) {
        Map<String, String> obstacles = bounds(rooms, vm, h);
        long[] need = rooms.need(vm);
        for (int r = 0; r < need.length; r++) {
            long free = rooms.free[h * need.length + r];
            if (need[r] > 0 && free < need[r]) {
                obstacles.put(
                        "needs " + need[r] + " " + rooms.resources.get(r),
                        "has " + Math.max(0, free) + " left of " + rooms.capacity[h * need.length + r]);
            }
        }
        rooms.fullPools(vm, h).forEach((pool, left) -> {
            SlotNeed wanted = vm.slots().get(pool);
            if (wanted != null) {
                obstacles.put(
                        "needs " + wanted.count() + " slots of " + pool + " with " + wanted.amount() + " free",
                        "has " + (left.length == 0 ? "none" : Arrays.toString(left)));
            }
        });
        String reserve = rooms.reserve(vm, h);
        if (!reserve.isEmpty()) {
            obstacles.put("must leave a reserve", "is under " + reserve);
        }
        String neighbour = rooms.company.unwanted(vm, h);
        if (neighbour != null) {
            obstacles.put("is kept apart from others", "will hold " + neighbour);
        }
        return obstacles;
    }

    /** What room on the host would not help against. */
    private static Map<String, String> bounds(Rooms rooms, PlanVm vm, int h) {
        PlanHost host = rooms.hosts[h];
        Map<String, String> obstacles = new LinkedHashMap<>();
        if (!host.closed().isEmpty()) {
            obstacles.put("needs an open host", host.closed());
        } else if (rooms.plan.drained().contains(host.name())) {
            obstacles.put("needs an open host", "is being emptied");
        }
        if (!vm.onlyHosts().isEmpty() && !vm.onlyHosts().contains(host.name())) {
            obstacles.put("is pinned to " + pinned(vm), "is another");
        }
        if (vm.bannedHosts().contains(host.name())) {
            obstacles.put("may not go everywhere", "is banned");
        }
        Set<String> missing = new TreeSet<>(vm.onlyTags());
        missing.removeAll(host.tags());
        if (!missing.isEmpty()) {
            obstacles.put("needs tag " + String.join(", ", missing), "does not have it");
        }
        int from = rooms.where(vm);
        if (!rooms.loads.reaches(from, h)) {
            obstacles.put("needs a way through the network", "is not linked with " + vm.host());
        } else if (!rooms.withinBudget(vm, from, h)) {
            obstacles.put(
                    "accepts " + vm.blackoutBudgetMs() + " ms of standstill",
                    "would take " + rooms.loads.blackoutMs(vm, from, h) + " ms");
        }
        return obstacles;
    }

    private static String pinned(PlanVm vm) {
        List<String> names = new ArrayList<>(new TreeSet<>(vm.onlyHosts()));
        return names.size() <= NAMED
                ? String.join(", ", names)
                : String.join(", ", names.subList(0, NAMED)) + " and " + (names.size() - NAMED) + " more";
    }
}
