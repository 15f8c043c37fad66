package io.godwit.plan;

import java.util.List;
import java.util.Optional;

/**
 * One VM of a plan.
 *
 * @param vm the VM
 * @param from host it leaves
 * @param to host it goes to; empty when there is none
 * @param reason without a destination: what the VM needs and, host by host, why that is not there
 * @param timing when it moves if all goes as planned; empty where times are not planned
 * @param makesRoomFor VMs that go where it is now and would not fit there with it; none for a VM that has to move itself
 */
public record Placement(
        String vm,
        String from,
        Optional<String> to,
        Optional<String> reason,
        Optional<Timing> timing,
        List<String> makesRoomFor) {
    /**
     * What a migration is expected to take.
     *
     * @param startMs from the start of the batch
     * @param durationMs from then until the VM runs at its destination
     * @param blackoutMs standstill
     */
    public record Timing(long startMs, long durationMs, long blackoutMs) {}

    /** Copies the list. */
    public Placement {
        makesRoomFor = List.copyOf(makesRoomFor);
    }

    /** A placement of a VM that has to move itself, without times. */
    public Placement(String vm, String from, Optional<String> to, Optional<String> reason) {
        this(vm, from, to, reason, Optional.empty(), List.of());
    }
}
