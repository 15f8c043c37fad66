package io.godwit.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds a place for VMs that must leave their hosts. Pure: the same picture gives the same plan. */
@FunctionalInterface
public interface Planner {
    /**
     * Places every one of {@code vms}.
     *
     * @param fleet the fleet as it is now
     * @param drained hosts that are being emptied: nothing goes there
     * @param vms names of VMs that are in {@code fleet}
     * @param avoid hosts that a VM must not go to (where it has failed before), by VM
     * @param bytesPerSecond the limit on the stream of each migration; 0 for none
     * @return one placement per VM, in the order in which they are to be moved
     * @throws IllegalArgumentException when the fleet has no such VM, or it is on no host
     */
    Plan plan(Fleet fleet, Set<String> drained, List<String> vms, Map<String, Set<String>> avoid, long bytesPerSecond);

    /** The same, with no limit on bandwidth. */
    default Plan plan(Fleet fleet, Set<String> drained, List<String> vms, Map<String, Set<String>> avoid) {
        return plan(fleet, drained, vms, avoid, 0);
    }
}
