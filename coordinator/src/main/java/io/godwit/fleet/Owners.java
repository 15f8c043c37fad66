package io.godwit.fleet;

import io.godwit.fleet.VmHistory.Owner;
import io.godwit.ownership.OwnershipEvent.LedgerAborted;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerFenced;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.ownership.OwnershipEvent.LedgerReleased;
import io.godwit.ownership.OwnershipState;
import io.godwit.ownership.OwnershipState.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Who might run a VM, and why it changed, from what its ledger has decided. Pure. */
final class Owners {
    private Owners() {}

    /**
     * A line for every grant and every end of one.
     *
     * @param entries of its ledger, oldest first
     * @param evacuations by migration, the evacuation that it was part of
     */
    static List<Owner> of(String vm, List<LedgerEntry> entries, Map<String, String> evacuations) {
        List<Owner> owners = new ArrayList<>();
        OwnershipState before = OwnershipState.empty(vm);
        for (LedgerEntry entry : entries) {
            OwnershipState after = before.apply(entry.event());
            Optional<String> why = why(before, entry, evacuations);
            if (why.isPresent()) {
                owners.add(new Owner(entry.atMs(), after.owner(), after.epoch(), why.get()));
            }
            before = after;
        }
        return List.copyOf(owners);
    }

    private static Optional<String> why(OwnershipState before, LedgerEntry entry, Map<String, String> evacuations) {
        return switch (entry.event()) {
            case LedgerClaimed _ ->
                Optional.of(before instanceof Waiting ? "started anew from its spec, its memory lost" : "created");
            // the owner stays, and its grant
            case LedgerHandoffBegun _ -> Optional.empty();
            case LedgerCommitted committed -> Optional.of(named(committed.migration(), evacuations) + " committed");
            case LedgerAborted aborted ->
                Optional.of(named(aborted.migration(), evacuations) + " aborted: " + aborted.reason());
            case LedgerFenced fenced -> Optional.of("fenced off: " + fenced.reason());
            case LedgerReleased _ -> Optional.of("destroyed");
        };
    }

    private static String named(String migration, Map<String, String> evacuations) {
        String evacuation = evacuations.get(migration);
        return "migration " + migration + (evacuation == null ? "" : " of evacuation " + evacuation);
    }
}
