package io.godwit.plan.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is to be planned.
 *
 * @param hosts all hosts
 * @param vms all VMs
 * @param network how hosts are connected
 * @param rules what holds between VMs
 * @param transfer how long migrations take
 * @param drained hosts to empty
 * @param destinations destinations that are given, by VM; only order is planned for those
 * @param reserves room that must be left unused
 * @param deadlineMs when all must be done; {@link Long#MAX_VALUE} for none
 */
public record PlanCase(
        List<PlanHost> hosts,
        List<PlanVm> vms,
        Network network,
        List<Rule> rules,
        TransferModel transfer,
        Set<String> drained,
        Map<String, String> destinations,
        List<Reserve> reserves,
        long deadlineMs) {
    /**
     * Copies and checks the names.
     *
     * @throws IllegalArgumentException naming a name that is doubled or unknown
     */
    public PlanCase {
        hosts = List.copyOf(hosts);
        vms = List.copyOf(vms);
        rules = List.copyOf(rules);
        drained = Set.copyOf(drained);
        destinations = Map.copyOf(destinations);
        reserves = List.copyOf(reserves);
        Map<String, PlanHost> byHost = new HashMap<>();
        for (PlanHost host : hosts) {
            if (byHost.put(host.name(), host) != null) {
                throw new IllegalArgumentException("host '" + host.name() + "' is there twice");
            }
        }
        Map<String, PlanVm> byVm = new HashMap<>();
        for (PlanVm vm : vms) {
            if (byVm.put(vm.name(), vm) != null) {
                throw new IllegalArgumentException("vm '" + vm.name() + "' is there twice");
            }
            known(byHost, vm.host(), "vm '" + vm.name() + "' is on host");
            vm.onlyHosts().forEach(host -> known(byHost, host, "vm '" + vm.name() + "' is pinned to host"));
        }
        drained.forEach(host -> known(byHost, host, "drained host"));
        destinations.forEach((vm, host) -> {
            known(byVm, vm, "destination of vm");
            known(byHost, host, "destination of vm '" + vm + "', host");
        });
        for (Rule rule : rules) {
            switch (rule) {
                case Rule.Apart(var names, var _) -> names.forEach(vm -> known(byVm, vm, "vm kept apart"));
                case Rule.Together(var names, var _) -> names.forEach(vm -> known(byVm, vm, "vm kept together"));
                case Rule.Before(var first, var then) -> {
                    known(byVm, first, "vm that goes first");
                    known(byVm, then, "vm that goes after");
                }
            }
        }
    }

    /** A case without reserves. */
    public PlanCase(
            List<PlanHost> hosts,
            List<PlanVm> vms,
            Network network,
            List<Rule> rules,
            TransferModel transfer,
            Set<String> drained,
            Map<String, String> destinations,
            long deadlineMs) {
        this(hosts, vms, network, rules, transfer, drained, destinations, List.of(), deadlineMs);
    }

    /** The same with {@code hosts} to be emptied instead. */
    public PlanCase draining(Set<String> hosts) {
        return new PlanCase(this.hosts, vms, network, rules, transfer, hosts, destinations, reserves, deadlineMs);
    }

    private static void known(Map<String, ?> names, String name, String what) {
        if (!names.containsKey(name)) {
            throw new IllegalArgumentException(what + " '" + name + "' which is not in the fleet");
        }
    }

    /** The moves that the given destinations ask for: those of VMs that are not there yet, by the VMs' order. */
    public List<Move> givenMoves() {
        return vms.stream()
                .filter(vm -> !destinations.getOrDefault(vm.name(), vm.host()).equals(vm.host()))
                .map(vm -> new Move(vm.name(), vm.host(), destinations.getOrDefault(vm.name(), vm.host())))
                .toList();
    }

    /** Hosts by name. */
    public Map<String, PlanHost> hostsByName() {
        Map<String, PlanHost> byName = HashMap.newHashMap(hosts.size());
        hosts.forEach(host -> byName.put(host.name(), host));
        return byName;
    }

    /** VMs by name. */
    public Map<String, PlanVm> vmsByName() {
        Map<String, PlanVm> byName = HashMap.newHashMap(vms.size());
        vms.forEach(vm -> byName.put(vm.name(), vm));
        return byName;
    }
}
