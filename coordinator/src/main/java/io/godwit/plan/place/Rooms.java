package io.godwit.plan.place;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What every host has left when the plan is done, as flat arrays: host h, resource r is at {@code h * resources + r}. */
final class Rooms {
    final PlanCase plan;
    final PlanHost[] hosts;
    final Map<String, Integer> hostAt = new HashMap<>();
    final List<String> resources;
    final long[] capacity;
    final long[] free;
    /** The fastest link of each host, Mbit/s. */
    final long[] portMbit;
    /** Milliseconds of migrations that come in at each host. */
    final double[] incomingMs;

    final List<List<PlanVm>> held = new ArrayList<>();
    private final Map<String, List<Rule.Apart>> apart = new HashMap<>();
    private final Map<String, Integer> placedAt = new HashMap<>();
    private final Map<String, Long> fastest = new HashMap<>();
    private final Map<String, long[]> needs = new HashMap<>();

    Rooms(PlanCase plan) {
        this.plan = plan;
        hosts = plan.hosts().toArray(PlanHost[]::new);
        Set<String> names = new TreeSet<>();
        plan.vms().forEach(vm -> names.addAll(vm.demand().keySet()));
        plan.hosts().forEach(host -> names.addAll(host.capacity().keySet()));
        resources = List.copyOf(names);
        capacity = new long[hosts.length * resources.size()];
        portMbit = new long[hosts.length];
        incomingMs = new double[hosts.length];
        for (Network.Link link : plan.network().links()) {
            fastest.merge(link.a(), link.mbitPerSecond(), Math::max);
        }
        for (int h = 0; h < hosts.length; h++) {
            hostAt.put(hosts[h].name(), h);
            held.add(new ArrayList<>());
            portMbit[h] = fastest.getOrDefault(hosts[h].name(), 10_000L);
            for (int r = 0; r < resources.size(); r++) {
                capacity[h * resources.size() + r] = hosts[h].capacity().getOrDefault(resources.get(r), 0L);
            }
        }
        free = capacity.clone();
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Apart group && group.hard()) {
                group.vms()
                        .forEach(vm -> apart.computeIfAbsent(vm, _ -> new ArrayList<>())
                                .add(group));
            }
        }
        for (PlanVm vm : plan.vms()) {
            put(vm, at(vm.host()));
        }
    }

    int at(String host) {
        Integer at = hostAt.get(host);
        if (at == null) {
            throw new IllegalArgumentException("host '" + host + "' is not in the fleet");
        }
        return at;
    }

    long[] need(PlanVm vm) {
        return needs.computeIfAbsent(vm.name(), _ -> {
            long[] need = new long[resources.size()];
            Arrays.setAll(need, r -> vm.demand().getOrDefault(resources.get(r), 0L));
            return need;
        });
    }

    /** Where a VM is or will be. */
    int where(PlanVm vm) {
        return placedAt.getOrDefault(vm.name(), -1);
    }

    void put(PlanVm vm, int h) {
        long[] need = need(vm);
        for (int r = 0; r < need.length; r++) {
            free[h * need.length + r] -= need[r];
        }
        held.get(h).add(vm);
        placedAt.put(vm.name(), h);
    }

    void remove(PlanVm vm, int h) {
        long[] need = need(vm);
        for (int r = 0; r < need.length; r++) {
            free[h * need.length + r] += need[r];
        }
        held.get(h).remove(vm);
        placedAt.remove(vm.name());
    }

    boolean fits(PlanVm vm, int h) {
        long[] need = need(vm);
        for (int r = 0; r < need.length; r++) {
            if (need[r] > 0 && free[h * need.length + r] < need[r]) {
                return false;
            }
        }
        return true;
    }

    /** How long its copy takes between two hosts' ports, ms. */
    long durationMs(PlanVm vm, int from, int to) {
        return plan.transfer().durationMs(vm.ram(), Math.min(portMbit[from], portMbit[to]));
    }

    /** Whether anything but room forbids {@code vm} on host {@code h}. */
    boolean allowed(PlanVm vm, int from, int h) {
        PlanHost host = hosts[h];
        return h != from
                && host.closed().isEmpty()
                && !plan.drained().contains(host.name())
                && mayBeOn(vm, host)
                && withinBudget(vm, from, h)
                && neighbour(vm, h) == null;
    }

    static boolean mayBeOn(PlanVm vm, PlanHost host) {
        return (vm.onlyHosts().isEmpty() || vm.onlyHosts().contains(host.name()))
                && !vm.bannedHosts().contains(host.name())
                && host.tags().containsAll(vm.onlyTags());
    }

    boolean withinBudget(PlanVm vm, int from, int h) {
        return vm.blackoutBudgetMs() == Long.MAX_VALUE
                || plan.transfer().blackoutMs(vm.ram(), Math.min(portMbit[from], portMbit[h])) <= vm.blackoutBudgetMs();
    }

    /** A VM on host {@code h} that must be kept apart from {@code vm}. */
    @Nullable
    String neighbour(PlanVm vm, int h) {
        for (Rule.Apart group : apart.getOrDefault(vm.name(), List.of())) {
            for (String other : group.vms()) {
                if (!other.equals(vm.name()) && placedAt.getOrDefault(other, -1) == h) {
                    return other;
                }
            }
        }
        return null;
    }
}
