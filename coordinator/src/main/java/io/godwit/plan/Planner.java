package io.godwit.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds a place for VMs that must leave their hosts. Pure: the same picture gives the same plan. */
@FunctionalInterface
public interface Planner {
    /**
     * Places every VM that {@code request} wants placed.
     *
     * @return one placement for each of them, and for each VM that makes room for them, in the order in which they are to be moved
     * @throws IllegalArgumentException when the fleet has no such VM, or it is on no host
     */
    Plan plan(PlanRequest request);

    /** The same, with nobody else moved and no limit on bandwidth. */
    default Plan plan(Fleet fleet, Set<String> drained, List<String> vms, Map<String, Set<String>> avoid) {
        return plan(new PlanRequest(fleet, drained, vms, avoid, 0));
    }
}
