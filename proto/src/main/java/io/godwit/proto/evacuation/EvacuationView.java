package io.godwit.proto.evacuation;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * A batch as the coordinator shows it.
 *
 * @param id its id
 * @param hosts hosts being emptied
 * @param state {@code PLANNING}, {@code RUNNING}, {@code COMPLETED} (every VM of the hosts has moved) or {@code FAILED} (some did not)
 * @param vms one row per VM, in plan order, those that make room for others included
 * @param durationMs since it was asked for, until it ended
 */
public record EvacuationView(String id, List<String> hosts, String state, List<VmRow> vms, long durationMs)
        implements WireMessage {
    public EvacuationView {
        hosts = List.copyOf(hosts);
        vms = List.copyOf(vms);
    }

    /**
     * One VM of the batch.
     *
     * @param vm the VM
     * @param from host it leaves
     * @param to host it goes to or went to, if one could be found
     * @param state {@code WAITING}, {@code MIGRATING}, {@code MOVED}, {@code UNPLACEABLE}, {@code LOST}, {@code FAILED} or {@code STAYS} (it was to
     *     make room for others, which do not need that any more)
     * @param migrations ids of its migrations, first attempt first
     * @param reason why it waits, failed, or was moved elsewhere than planned
     * @param makesRoomFor VMs that take its place; none for a VM of the hosts to be emptied
     */
    public record VmRow(
            String vm,
            String from,
            Optional<String> to,
            String state,
            List<String> migrations,
            Optional<String> reason,
            List<String> makesRoomFor)
            implements WireMessage {
        public VmRow {
            migrations = List.copyOf(migrations);
            makesRoomFor = List.copyOf(makesRoomFor);
        }

        /** A VM of the hosts to be emptied. */
        public VmRow(
                String vm,
                String from,
                Optional<String> to,
                String state,
                List<String> migrations,
                Optional<String> reason) {
            this(vm, from, to, state, migrations, reason, List.of());
        }

        /** Whether it is on none of the hosts to be emptied, and moves only so that others find room. */
        public boolean extra() {
            return !makesRoomFor.isEmpty();
        }
    }
}
