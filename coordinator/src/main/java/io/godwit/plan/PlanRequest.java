package io.godwit.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is to be planned for a live fleet.
 *
 * @param fleet the fleet as it is now
 * @param drained hosts that are being emptied: nothing goes there
 * @param vms names of VMs that are in {@code fleet} and must leave their hosts
 * @param avoid hosts that a VM must not go to (where it has failed before), by VM
 * @param bytesPerSecond the limit on the stream of each migration; 0 for none
 * @param neighbours names of VMs that may be moved where one of {@code vms} fits nowhere otherwise
 * @param makeRoom whether they are; if not, what that would make possible is said
 */
public record PlanRequest(
        Fleet fleet,
        Set<String> drained,
        List<String> vms,
        Map<String, Set<String>> avoid,
        long bytesPerSecond,
        Set<String> neighbours,
        boolean makeRoom) {
    /** Copies the collections. */
    public PlanRequest {
        drained = Set.copyOf(drained);
        vms = List.copyOf(vms);
        avoid = Map.copyOf(avoid);
        neighbours = Set.copyOf(neighbours);
    }

    /** One in which nobody else may be moved. */
    public PlanRequest(
            Fleet fleet, Set<String> drained, List<String> vms, Map<String, Set<String>> avoid, long bytesPerSecond) {
        this(fleet, drained, vms, avoid, bytesPerSecond, Set.of(), false);
    }

    /** The same in another picture of the fleet. */
    public PlanRequest in(Fleet other) {
        return new PlanRequest(other, drained, vms, avoid, bytesPerSecond, neighbours, makeRoom);
    }
}
