package io.godwit.proto.evacuation;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * A batch as the coordinator shows it.
 *
 * @param id its id
 * @param hosts hosts being emptied
 * @param state {@code PLANNING}, {@code RUNNING}, {@code COMPLETED} (every VM moved) or {@code FAILED} (some did not)
 * @param vms one row per VM, in plan order
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
     * @param state {@code WAITING}, {@code MIGRATING}, {@code MOVED}, {@code UNPLACEABLE}, {@code LOST} or {@code FAILED}
     * @param migrations ids of its migrations, first attempt first
     * @param reason why it waits, failed, or was moved elsewhere than planned
     */
    public record VmRow(
            String vm, String from, Optional<String> to, String state, List<String> migrations, Optional<String> reason)
            implements WireMessage {
        public VmRow {
            migrations = List.copyOf(migrations);
        }
    }
}
