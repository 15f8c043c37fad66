package io.godwit.demo;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import java.util.List;
import java.util.Map;

/**
 * All that the demo found out.
 *
 * @param evacuation how it ended
 * @param migrations the last migration of each VM, by VM
 * @param guests the check of each VM's memory after it ran on, by VM
 * @param owners what the ledger says, by VM
 * @param running hosts on which each VM runs, by VM
 * @param checks all that had to hold
 * @param totalMillis from the first process to here
 */
record DemoOutcome(
        EvacuationView evacuation,
        Map<String, MigrationView> migrations,
        Map<String, GuestCheck> guests,
        Map<String, OwnershipView> owners,
        Map<String, List<String>> running,
        List<Check> checks,
        long totalMillis) {
    /** Checks that did not hold. */
    List<Check> failed() {
        return checks.stream().filter(check -> !check.ok()).toList();
    }
}
