package io.godwit.evacuation;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.CancelSave;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostCommand.DiscardIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.RunVm;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What is to become of a copy of a VM that no migration minds any more: its migration has ended without hearing of it, or
 * its host was out of sight while the VM was given to another. Pure. The ledger's word may be old when the order arrives:
 * each carries the migration or the epoch that makes it harmless then.
 */
public final class Leftovers {
    private Leftovers() {}

    /**
     * The order for the copy that {@code host} reports, if it is not to stay as it is.
     *
     * @param ledger what the ledger says of its VM
     * @param migrationEnded whether the migration that the copy names has ended, or was never asked for; a copy without
     *     one does not care
     * @param replyTo who hears that the VM is gone
     */
    public static Optional<HostCommand> order(
            String host, VmStatus copy, OwnershipView ledger, boolean migrationEnded, ActorRef<HostReply> replyTo) {
        // a VM that the ledger has never heard of is none of ours
        if (ledger.epoch() == 0) {
            return Optional.empty();
        }
        String vm = copy.spec().name();
        boolean overtaken = ledger.epoch() > copy.epoch();
        if (copy.migration().isEmpty()) {
            boolean destroyed = ledger.host().isEmpty() && ledger.epoch() >= copy.epoch();
            if ((overtaken && !ledger.grants(host)) || destroyed) {
                return Optional.of(new DestroyVm(vm, ledger.epoch(), replyTo));
            }
            // its host was out of sight when the handoff was aborted: under the old epoch it could never be moved again
            return overtaken
                            && ledger.handoff().isEmpty()
                            && copy.runState() == RunState.RUNNING
                            && ledger.lastSettled().isPresent()
                    ? Optional.of(new RunVm(ledger.lastSettled().get(), vm, ledger.epoch()))
                    : Optional.empty();
        }
        String migration = copy.migration().get();
        if (!migrationEnded
                || ledger.handoff()
                        .filter(open -> open.migration().equals(migration))
                        .isPresent()) {
            return Optional.empty();
        }
        if (copy.incoming()) {
            return overtaken && ledger.grants(host)
                    ? Optional.empty()
                    : Optional.of(new DiscardIncoming(migration, vm, "migration " + migration + " is over"));
        }
        if (copy.runState() == RunState.FINISH_MIGRATE) {
            return overtaken && !ledger.grants(host)
                    ? Optional.of(new ReleaseSource(migration, vm, ledger.epoch()))
                    : Optional.empty();
        }
        return Optional.of(new CancelSave(migration, vm, "migration " + migration + " is over"));
    }
}
