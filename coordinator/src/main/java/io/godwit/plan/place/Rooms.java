package io.godwit.plan.place;

import io.godwit.plan.model.HeldSlots;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Reserves;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What every host has left when the plan is done, as flat arrays: host h, resource r is at {@code h * resources + r}. */
final class Rooms {
    final PlanCase plan;
    final PlanHost[] hosts;
    final List<String> resources;
    final long[] capacity;
    final long[] free;
    /** Whether anything may be placed there: neither closed nor being emptied. */
    final boolean[] open;
    /** VMs that will be there. */
    final List<List<PlanVm>> held = new ArrayList<>();

    final Loads loads;
    final Company company;
    private final Map<String, Integer> hostAt;
    private final Map<String, Integer> vmAt;
    private final long[] need;
    private final int[] where;
    private final HeldSlots[] slots;
    private final Map<String, Map<String, List<Integer>>> initialSlots;
    private final Map<String, Map<String, List<Integer>>> slotsOf = new HashMap<>();
    private final List<Reserves.Limit> limits;
    private final long[] limitLeft;
    private final int[] limitResource;
    private final int[][] limitsOf;

    Rooms(PlanCase plan) {
        this.plan = plan;
        hosts = plan.hosts().toArray(PlanHost[]::new);
        hostAt = HashMap.newHashMap(hosts.length);
        vmAt = HashMap.newHashMap(plan.vms().size());
        Set<String> names = new TreeSet<>();
        plan.vms().forEach(vm -> names.addAll(vm.demand().keySet()));
        plan.hosts().forEach(host -> names.addAll(host.capacity().keySet()));
        resources = List.copyOf(names);
        int kinds = resources.size();
        capacity = new long[hosts.length * kinds];
        open = new boolean[hosts.length];
        slots = new HeldSlots[hosts.length];
        for (int h = 0; h < hosts.length; h++) {
            hostAt.put(hosts[h].name(), h);
            held.add(new ArrayList<>());
            slots[h] = new HeldSlots(hosts[h]);
            open[h] = hosts[h].closed().isEmpty() && !plan.drained().contains(hosts[h].name());
            for (int r = 0; r < kinds; r++) {
                capacity[h * kinds + r] = hosts[h].capacity().getOrDefault(resources.get(r), 0L);
            }
        }
        free = capacity.clone();
        limits = Reserves.of(plan);
        limitLeft =
                limits.stream().mapToLong(limit -> limit.most() - limit.taken()).toArray();
        limitResource = limits.stream()
                .mapToInt(limit -> resources.indexOf(limit.resource()))
                .toArray();
        limitsOf = new int[hosts.length][];
        Arrays.setAll(limitsOf, this::limitsOf);
        loads = new Loads(plan, hosts);
        company = new Company(plan, this);
        need = new long[plan.vms().size() * kinds];
        where = new int[plan.vms().size()];
        initialSlots = HeldSlots.initially(plan);
        int v = 0;
        for (PlanVm vm : plan.vms()) {
            vmAt.put(vm.name(), v);
            for (int r = 0; r < kinds; r++) {
                need[v * kinds + r] = vm.demand().getOrDefault(resources.get(r), 0L);
            }
            int h = at(vm.host());
            add(v, vm, h, initialSlots.getOrDefault(vm.name(), Map.of()));
            v++;
        }
        // what is there now is in the limits already
        for (int l = 0; l < limitLeft.length; l++) {
            limitLeft[l] = limits.get(l).most() - limits.get(l).taken();
        }
    }

    private int[] limitsOf(int h) {
        if (plan.drained().contains(hosts[h].name())) {
            return new int[0];
        }
        List<Integer> of = new ArrayList<>();
        for (int l = 0; l < limits.size(); l++) {
            if (limits.get(l).covers(hosts[h]) && limitResource[l] >= 0) {
                of.add(l);
            }
        }
        return of.stream().mapToInt(Integer::intValue).toArray();
    }

    int at(String host) {
        Integer at = hostAt.get(host);
        if (at == null) {
            throw new IllegalArgumentException("host '" + host + "' is not in the fleet");
        }
        return at;
    }

    private int index(PlanVm vm) {
        Integer at = vmAt.get(vm.name());
        if (at == null) {
            throw new IllegalArgumentException("vm '" + vm.name() + "' is not in the fleet");
        }
        return at;
    }

    long[] need(PlanVm vm) {
        int kinds = resources.size();
        int v = index(vm);
        return Arrays.copyOfRange(need, v * kinds, (v + 1) * kinds);
    }

    /** Where a VM is or will be; -1 when it has been taken out. */
    int where(PlanVm vm) {
        return where[index(vm)];
    }

    /** Where a VM is or will be; -1 when there is none of that name, or it has been taken out. */
    int where(String vm) {
        Integer v = vmAt.get(vm);
        return v == null ? -1 : where[v];
    }

    /** Which slots it has, or will have, where it is. */
    Map<String, List<Integer>> slotsOf(PlanVm vm) {
        return slotsOf.getOrDefault(vm.name(), Map.of());
    }

    /** Takes its room; back where it was at first, it has the slots that it had. */
    void put(PlanVm vm, int h) {
        Map<String, List<Integer>> chosen = Map.of();
        if (!vm.slots().isEmpty()) {
            Map<String, List<Integer>> fitting = slots[h].choose(vm);
            chosen = h == at(vm.host()) || fitting == null ? initialSlots.getOrDefault(vm.name(), Map.of()) : fitting;
        }
        add(index(vm), vm, h, chosen);
    }

    /** Takes its room, with these slots. */
    void put(PlanVm vm, int h, Map<String, List<Integer>> chosen) {
        add(index(vm), vm, h, chosen);
    }

    private void add(int v, PlanVm vm, int h, Map<String, List<Integer>> chosen) {
        change(v, h, -1);
        held.get(h).add(vm);
        where[v] = h;
        if (!vm.slots().isEmpty()) {
            slots[h].take(vm, chosen, 1);
            slotsOf.put(vm.name(), chosen);
        }
    }

    void remove(PlanVm vm, int h) {
        int v = index(vm);
        change(v, h, 1);
        List<PlanVm> there = held.get(h);
        for (int i = 0; i < there.size(); i++) {
            if (there.get(i).name().equals(vm.name())) {
                there.remove(i);
                break;
            }
        }
        where[v] = -1;
        if (!vm.slots().isEmpty()) {
            slots[h].take(vm, slotsOf(vm), -1);
            slotsOf.remove(vm.name());
        }
    }

    private void change(int v, int h, int sign) {
        int kinds = resources.size();
        for (int r = 0; r < kinds; r++) {
            free[h * kinds + r] += sign * need[v * kinds + r];
        }
        for (int l : limitsOf[h]) {
            limitLeft[l] += sign * need[v * kinds + limitResource[l]];
        }
    }

    boolean fits(PlanVm vm, int h) {
        return fits(vm, need(vm), h);
    }

    /** The same with what {@link #need} says of it. */
    boolean fits(PlanVm vm, long[] wanted, int h) {
        int at = h * wanted.length;
        for (int r = 0; r < wanted.length; r++) {
            if (wanted[r] > 0 && free[at + r] < wanted[r]) {
                return false;
            }
        }
        return lackingReserve(wanted, h) < 0 && (vm.slots().isEmpty() || slots[h].choose(vm) != null);
    }

    /** A reserve that would be touched; -1 for none. */
    private int lackingReserve(long[] wanted, int h) {
        for (int l : limitsOf[h]) {
            if (wanted[limitResource[l]] > 0 && limitLeft[l] < wanted[limitResource[l]]) {
                return l;
            }
        }
        return -1;
    }

    /** The reserve that keeps {@code vm} from host {@code h}, with what it has left; empty when none does. */
    String reserve(PlanVm vm, int h) {
        int l = lackingReserve(need(vm), h);
        return l < 0 ? "" : limits.get(l).name() + ", of which " + Math.max(0, limitLeft[l]) + " may still be taken";
    }

    /** Pools of host {@code h} in which {@code vm} has no room, with what each slot has left. */
    Map<String, long[]> fullPools(PlanVm vm, int h) {
        Map<String, long[]> full = new TreeMap<>();
        vm.slots().forEach((pool, wanted) -> {
            long[] left = slots[h].left(pool);
            if (Arrays.stream(left).filter(slot -> slot >= wanted.amount()).count() < wanted.count()) {
                full.put(pool, left);
            }
        });
        return full;
    }

    /** Whether anything but room forbids {@code vm} on host {@code h}. */
    boolean allowed(PlanVm vm, int from, int h) {
        return h != from
                && open[h]
                && mayBeOn(vm, hosts[h])
                && loads.reaches(from, h)
                && withinBudget(vm, from, h)
                && company.unwanted(vm, h) == null;
    }

    static boolean mayBeOn(PlanVm vm, PlanHost host) {
        return (vm.onlyHosts().isEmpty() || vm.onlyHosts().contains(host.name()))
                && (vm.bannedHosts().isEmpty() || !vm.bannedHosts().contains(host.name()))
                && (vm.onlyTags().isEmpty() || host.tags().containsAll(vm.onlyTags()));
    }

    boolean withinBudget(PlanVm vm, int from, int h) {
        return vm.blackoutBudgetMs() == Long.MAX_VALUE || loads.blackoutMs(vm, from, h) <= vm.blackoutBudgetMs();
    }
}
