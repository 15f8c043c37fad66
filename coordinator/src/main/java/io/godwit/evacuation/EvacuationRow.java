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
 * @param makesRoomFor VMs that take its place; none for a VM of the hosts to be emptied
 */
public record EvacuationRow(
        VmSpec spec,
        String from,
        Optional<String> to,
        RowState state,
        List<String> migrations,
        List<String> failedAt,
        long epoch,
        Optional<String> reason,
        List<String> makesRoomFor)
        implements KryoMessage {
    public EvacuationRow {
        migrations = List.copyOf(migrations);
        failedAt = List.copyOf(failedAt);
        makesRoomFor = List.copyOf(makesRoomFor);
    }

    /** Whether it is on none of the hosts to be emptied, and moves only so that others find room. */
    boolean extra() {
        return !makesRoomFor.isEmpty();
    }

    /** Name of the VM. */
    public String vm() {
        return spec.name();
    }

    EvacuationRow migrating(String migration, long fromEpoch) {
        return new EvacuationRow(
                spec,
                from,
                to,
                RowState.MIGRATING,
                plus(migrations, migration),
                failedAt,
                fromEpoch,
                reason,
                makesRoomFor);
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
                why,
                makesRoomFor);
    }

    /** @param roomFor those it makes room for now; empty for as before */
    EvacuationRow replanned(Optional<String> destination, Optional<String> why, List<String> roomFor) {
        RowState next = destination.isPresent() ? RowState.WAITING : RowState.UNPLACEABLE;
        return new EvacuationRow(
                spec,
                from,
                destination,
                next,
                migrations,
                failedAt,
                epoch,
                why.or(() -> reason),
                roomFor.isEmpty() ? makesRoomFor : roomFor);
    }

    VmRow view() {
        return new VmRow(vm(), from, to, state.name(), migrations, reason, makesRoomFor);
    }

    private static List<String> plus(List<String> list, String more) {
        return Stream.concat(list.stream(), Stream.of(more)).toList();
    }
}
