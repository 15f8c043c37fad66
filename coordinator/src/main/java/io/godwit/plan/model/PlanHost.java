package io.godwit.plan.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One host.
 *
 * @param name unique among the hosts
 * @param capacity what it may give out, by resource ({@code memory}, {@code cpu}, {@code hugepages}, a device's type, ...),
 *     overcommit included; a resource that is missing here is one it does not have
 * @param bootMs how long until it takes VMs, counted from the plan's start; 0 when it is on
 * @param powerOffMs how long it takes to go off once its last VM has left; 0 when it stays on
 * @param closed why no VM may go there, such as {@code is cordoned}; empty when one may
 * @param maxOutgoing migrations that may leave it at a time; {@link #UNLIMITED} for any number
 * @param maxIncoming migrations that may come at a time
 * @param domain failure domain, such as a rack; empty when it has none
 * @param tags what VMs may be pinned to, CPU model included
 * @param pools pools whose parts are told apart, by name: what each slot holds (memory of a NUMA node, thousandths of a GPU)
 */
public record PlanHost(
        String name,
        Map<String, Long> capacity,
        long bootMs,
        long powerOffMs,
        String closed,
        int maxOutgoing,
        int maxIncoming,
        String domain,
        Set<String> tags,
        Map<String, List<Long>> pools) {
    /** No limit. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    /** Copies the collections. */
    public PlanHost {
        capacity = Map.copyOf(capacity);
        tags = Set.copyOf(tags);
        Map<String, List<Long>> copied = new HashMap<>();
        pools.forEach((pool, slots) -> copied.put(pool, List.copyOf(slots)));
        pools = Map.copyOf(copied);
    }

    /** A host without pools. */
    public PlanHost(
            String name,
            Map<String, Long> capacity,
            long bootMs,
            long powerOffMs,
            String closed,
            int maxOutgoing,
            int maxIncoming,
            String domain,
            Set<String> tags) {
        this(name, capacity, bootMs, powerOffMs, closed, maxOutgoing, maxIncoming, domain, tags, Map.of());
    }

    /** A host that is on and stays on, without limits. */
    public static PlanHost of(String name, Map<String, Long> capacity) {
        return new PlanHost(name, capacity, 0, 0, "", UNLIMITED, UNLIMITED, "", Set.of());
    }
}
