package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;

/**
 * One VM as its host reports it.
 *
 * @param spec what it is
 * @param runState its run state now
 * @param epoch the epoch it runs or waits under
 * @param migration the migration it takes part in, if any
 * @param incoming whether it is a copy that is being loaded and has no grant yet
 * @param failure why the guest stopped by itself, if it did
 * @param blockers why it cannot be migrated as it is now, each reason named; empty when nothing is known against it
 */
public record VmStatus(
        VmSpec spec,
        RunState runState,
        long epoch,
        Optional<String> migration,
        boolean incoming,
        Optional<String> failure,
        List<String> blockers)
        implements WireMessage {
    public VmStatus {
        blockers = List.copyOf(blockers);
    }

    /** A VM against whose migration nothing is known. */
    public VmStatus(
            VmSpec spec,
            RunState runState,
            long epoch,
            Optional<String> migration,
            boolean incoming,
            Optional<String> failure) {
        this(spec, runState, epoch, migration, incoming, failure, List.of());
    }
}
