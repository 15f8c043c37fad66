package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * One migration as the coordinator shows it.
 *
 * @param id its id
 * @param vm the VM
 * @param from source host
 * @param to destination host
 * @param driver guest driver
 * @param phase where it stands
 * @param reason why it failed or was cancelled, if it was
 * @param sourceLost whether the source died, and the VM with it
 * @param epoch the VM's epoch as far as this migration knows
 * @param states state triples in the order they were published, the destination's after the source's
 * @param stats what the save path has done
 * @param downtime the standstill and its parts; NONE before
 * @param verified whether both digests were compared and equal
 * @param remainingBytes still to send, when pre-copying
 * @param retryable whether another migration of the VM may begin although this one has not ended: it failed and the source
 *     runs the VM again, but the destination, which was granted nothing, has yet to say that it holds no copy
 * @param limits in force now
 * @param steps convergence steps taken, in order
 * @param progress the source's latest word, while it pre-copies
 */
public record MigrationView(
        String id,
        String vm,
        String from,
        String to,
        String driver,
        MigrationPhase phase,
        Optional<String> reason,
        boolean sourceLost,
        long epoch,
        List<StateTriple> states,
        SaveStats stats,
        Downtime downtime,
        boolean verified,
        long remainingBytes,
        boolean retryable,
        SaveLimits limits,
        List<ConvergenceStep> steps,
        Optional<Progress> progress)
        implements WireMessage {
    public MigrationView {
        steps = List.copyOf(steps);
        states = List.copyOf(states);
    }
}
