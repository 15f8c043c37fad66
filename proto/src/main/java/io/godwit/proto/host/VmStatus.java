package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
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
 */
public record VmStatus(
        VmSpec spec,
        RunState runState,
        long epoch,
        Optional<String> migration,
        boolean incoming,
        Optional<String> failure)
        implements WireMessage {}
