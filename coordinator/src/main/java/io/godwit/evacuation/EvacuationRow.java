package io.godwit.evacuation;

import io.godwit.proto.KryoMessage;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One VM of an evacuation.
 *
 * @param to where it goes; empty while WAITING when a new destination is to be found
 * @param migrations ids of its migrations, oldest first
 * @param failedAt destinations that could not take it
 * @param epoch epoch of its latest migration's start; 0 before
 */
public record EvacuationRow(
        VmSpec spec,
        String from,
        Optional<String> to,
        RowState state,
        List<String> migrations,
        List<String> failedAt,
        long epoch,
        Optional<String> reason)
        implements KryoMessage {
    public EvacuationRow {
        migrations = List.copyOf(migrations);
        failedAt = List.copyOf(failedAt);
    }

    /** Name of the VM. */
    public String vm() {
        return spec.name();
    }

    EvacuationRow migrating(String migration, long fromEpoch) {
        return new EvacuationRow(
                spec, from, to, RowState.MIGRATING, plus(migrations, migration), failedAt, fromEpoch, reason);
    }

    EvacuationRow settled(RowState outcome, Optional<String> why) {
        boolean again = outcome == RowState.WAITING;
        return new EvacuationRow(
                spec,
                from,
                again ? Optional.empty() : to,
                outcome,
                migrations,
                again ? to.map(host -> plus(failedAt, host)).orElse(failedAt) : failedAt,
                epoch,
                why);
    }

    EvacuationRow replanned(Optional<String> destination, Optional<String> why) {
        RowState next = destination.isPresent() ? RowState.WAITING : RowState.UNPLACEABLE;
        return new EvacuationRow(spec, from, destination, next, migrations, failedAt, epoch, why.or(() -> reason));
    }

    VmRow view() {
        return new VmRow(vm(), from, to, state.name(), migrations, reason);
    }

    private static List<String> plus(List<String> list, String more) {
        return Stream.concat(list.stream(), Stream.of(more)).toList();
    }
}
