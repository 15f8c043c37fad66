package io.godwit.plan.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The limits that a case's reserves come to, for one resource of one reserve each. */
public final class Reserves {
    /**
     * One limit.
     *
     * @param name for people
     * @param domain failure domain; empty for all hosts
     * @param resource what is counted
     * @param most that VMs on the domain's hosts may take
     * @param taken by them now
     */
    public record Limit(String name, String domain, String resource, long most, long taken) {
        /** Whether what goes to a host counts. */
        public boolean covers(PlanHost host) {
            return domain.isEmpty() || domain.equals(host.domain());
        }
    }

    private Reserves() {}

    /** All limits of a case, in the order of its reserves. Drained hosts do not count. */
    public static List<Limit> of(PlanCase plan) {
        List<Limit> limits = new ArrayList<>();
        if (plan.reserves().isEmpty()) {
            return limits;
        }
        Map<String, PlanHost> staying = new HashMap<>();
        for (PlanHost host : plan.hosts()) {
            if (!plan.drained().contains(host.name())) {
                staying.put(host.name(), host);
            }
        }
        for (Reserve reserve : plan.reserves()) {
            for (String resource : new TreeSet<>(reserve.resources())) {
                long sum = 0;
                long largest = 0;
                long taken = 0;
                for (PlanHost host : staying.values()) {
                    if (reserve.domain().isEmpty() || reserve.domain().equals(host.domain())) {
                        long has = host.capacity().getOrDefault(resource, 0L);
                        sum += has;
                        largest = Math.max(largest, has);
                    }
                }
                for (PlanVm vm : plan.vms()) {
                    PlanHost host = staying.get(vm.host());
                    if (host != null
                            && (reserve.domain().isEmpty() || reserve.domain().equals(host.domain()))) {
                        taken += vm.demand().getOrDefault(resource, 0L);
                    }
                }
                String where = reserve.domain().isEmpty() ? "the fleet" : "domain " + reserve.domain();
                limits.add(new Limit(
                        "the reserve of " + resource + " in " + where,
                        reserve.domain(),
                        resource,
                        reserve.limit(sum, largest),
                        taken));
            }
        }
        return limits;
    }
}
