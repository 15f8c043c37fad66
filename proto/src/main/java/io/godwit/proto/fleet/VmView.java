package io.godwit.proto.fleet;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.VmSpec;
import java.util.Optional;

/**
 * One VM as the fleet sees it.
 *
 * @param spec what it is
 * @param state run state reported by its host, or {@code LOST} (its host's agent died and the guest with it), {@code
 *     UNKNOWN} (its host is unreachable, or its agent is gone and its QEMU may still run) or {@code MISSING} (registered, but no host reports it)
 * @param host where it was last seen
 * @param epoch the epoch its host reported
 * @param migration the migration it takes part in, if any
 * @param failure why it is not well, if so
 */
public record VmView(
        VmSpec spec,
        String state,
        Optional<String> host,
        long epoch,
        Optional<String> migration,
        Optional<String> failure)
        implements WireMessage {}
