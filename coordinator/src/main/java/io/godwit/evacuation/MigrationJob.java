package io.godwit.evacuation;

import io.godwit.proto.KryoMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.VmSpec;
import java.util.Optional;

/**
 * What a migration was asked to do; never changes.
 *
 * @param epoch the epoch under which the source holds the VM
 * @param evacuation who is told when it ends
 * @param ladder text form of the {@link io.godwit.convergence.Ladder} that it climbs
 */
public record MigrationJob(
        String id,
        VmSpec spec,
        String from,
        String to,
        long epoch,
        MigrationOptions options,
        Optional<String> evacuation,
        String ladder)
        implements KryoMessage {
    /** Name of the VM. */
    public String vm() {
        return spec.name();
    }

    /** Whether the guest goes on when an agent dies. */
    boolean outlivesAgent() {
        return spec.outlivesAgent();
    }
}
