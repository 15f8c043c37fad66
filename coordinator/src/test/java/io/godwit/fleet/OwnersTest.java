package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.fleet.VmHistory.Owner;
import io.godwit.ownership.OwnershipEvent;
import io.godwit.ownership.OwnershipEvent.LedgerAborted;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerFenced;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.ownership.OwnershipEvent.LedgerReleased;
import io.godwit.proto.ownership.Handoff;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OwnersTest {
    private static List<Owner> owners(OwnershipEvent... events) {
        List<LedgerEntry> entries = new ArrayList<>();
        for (OwnershipEvent event : events) {
            entries.add(new LedgerEntry(1000L + entries.size(), event));
        }
        return Owners.of("a", entries, Map.of("m-1", "e-1"));
    }

    @Test
    void saysWhyItMovedEachTime() {
        assertThat(owners(
                        new LedgerClaimed("host-1", 1),
                        new LedgerHandoffBegun(new Handoff("m-1", "host-1", "host-2", 5)),
                        new LedgerCommitted("m-1", "host-2", 2),
                        new LedgerHandoffBegun(new Handoff("m-2", "host-2", "host-3", 5)),
                        new LedgerAborted("m-2", 3, "the link broke"),
                        new LedgerFenced("host-2", 3, "the lease of host host-2 ran out"),
                        new LedgerClaimed("host-3", 4),
                        new LedgerReleased("host-3", 4),
                        new LedgerClaimed("host-1", 5)))
                .containsExactly(
                        new Owner(1000, Optional.of("host-1"), 1, "created"),
                        new Owner(1002, Optional.of("host-2"), 2, "migration m-1 of evacuation e-1 committed"),
                        new Owner(1004, Optional.of("host-2"), 3, "migration m-2 aborted: the link broke"),
                        new Owner(1005, Optional.empty(), 3, "fenced off: the lease of host host-2 ran out"),
                        new Owner(1006, Optional.of("host-3"), 4, "started anew from its spec, its memory lost"),
                        new Owner(1007, Optional.empty(), 4, "destroyed"),
                        new Owner(1008, Optional.of("host-1"), 5, "created"));
    }

    @Test
    void aVmThatTheLedgerHasNeverHeardOfHadNoOwner() {
        assertThat(owners()).isEmpty();
    }
}
