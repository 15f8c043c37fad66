package io.godwit.plan.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who has which slots of one host's pools. Where a case does not say which slots a VM has, it has the fullest that have room, VM by
 * VM in the case's order.
 */
public final class HeldSlots {
    private final Map<String, long[]> free = new TreeMap<>();

    /** An empty host. */
    public HeldSlots(PlanHost host) {
        host.pools()
                .forEach((pool, slots) ->
                        free.put(pool, slots.stream().mapToLong(Long::longValue).toArray()));
    }

    /** The slots that every VM of a case has now, by VM; those without need are not in it. */
    public static Map<String, Map<String, List<Integer>>> initially(PlanCase plan) {
        Map<String, Map<String, List<Integer>>> all = new HashMap<>();
        Map<String, HeldSlots> hosts = new HashMap<>();
        Map<String, PlanHost> byName = new HashMap<>();
        for (PlanVm vm : plan.vms()) {
            if (!vm.slots().isEmpty()) {
                if (byName.isEmpty()) {
                    byName.putAll(plan.hostsByName());
                }
                PlanHost host = byName.get(vm.host());
                if (host == null) {
                    continue;
                }
                HeldSlots held = hosts.computeIfAbsent(vm.host(), _ -> new HeldSlots(host));
                Map<String, List<Integer>> slots = vm.heldSlots();
                if (slots.isEmpty()) {
                    slots = held.choose(vm);
                }
                if (slots == null) {
                    slots = Map.of();
                }
                held.take(vm, slots, 1);
                all.put(vm.name(), slots);
            }
        }
        return all;
    }

    /** Slots in which {@code vm} has room, the fullest first; null when it has not. */
    public @Nullable Map<String, List<Integer>> choose(PlanVm vm) {
        Map<String, List<Integer>> chosen = new TreeMap<>();
        for (Map.Entry<String, SlotNeed> need : vm.slots().entrySet()) {
            long[] slots = free.getOrDefault(need.getKey(), new long[0]);
            List<Integer> fitting = new ArrayList<>();
            for (int s = 0; s < slots.length; s++) {
                if (slots[s] >= need.getValue().amount()) {
                    fitting.add(s);
                }
            }
            if (fitting.size() < need.getValue().count()) {
                return null;
            }
            fitting.sort((a, b) -> slots[a] != slots[b] ? Long.compare(slots[a], slots[b]) : Integer.compare(a, b));
            chosen.put(
                    need.getKey(),
                    fitting.subList(0, need.getValue().count()).stream()
                            .sorted()
                            .toList());
        }
        return chosen;
    }

    /** Takes (sign 1) or gives back (sign -1) what {@code vm} has of {@code slots}. */
    public void take(PlanVm vm, Map<String, List<Integer>> slots, int sign) {
        slots.forEach((pool, numbers) -> {
            long[] left = free.get(pool);
            SlotNeed need = vm.slots().get(pool);
            if (left != null && need != null) {
                for (int number : numbers) {
                    if (number >= 0 && number < left.length) {
                        left[number] -= sign * need.amount();
                    }
                }
            }
        });
    }

    /** What a pool has left, slot by slot; empty when there is no such pool. */
    public long[] left(String pool) {
        return free.getOrDefault(pool, new long[0]).clone();
    }
}
