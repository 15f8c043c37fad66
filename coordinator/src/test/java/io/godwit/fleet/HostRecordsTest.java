package io.godwit.fleet;

import static io.godwit.plan.Pictures.inventory;
import static io.godwit.plan.Pictures.running;
import static io.godwit.plan.Pictures.vm;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.fleet.FleetEvent.HostCordoned;
import io.godwit.fleet.FleetEvent.VmRegistered;
import io.godwit.fleet.HostRecords.Listed;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HostRecordsTest {
    private static final long FRESH = 3_000_000_000L;
    private static final long LATER = 60_000_000_000L;
    private final HostRecords records = new HostRecords(FRESH);
    private final FleetState lasting = FleetState.EMPTY.apply(new VmRegistered(vm("a", 64)));

    private static HostInventory report(String host, long sequence, VmStatus... vms) {
        return inventory(host, sequence, 1000, Map.of(), List.of(vms));
    }

    private static HostInventory incarnation(String id, HostInventory of) {
        return new HostInventory(of.host(), id, of.sequence(), of.capacity(), of.drivers(), of.endpoint(), of.vms());
    }

    private static VmStatus at(long epoch, boolean incoming, Optional<String> migration) {
        return new VmStatus(vm("a", 64), RunState.RUNNING, epoch, migration, incoming, Optional.empty());
    }

    private String stateOfA(long now) {
        return records.show(lasting, now).vms().getFirst().state();
    }

    @Test
    void ignoresAnOlderReportOfTheSameIncarnation() {
        assertThat(records.report(report("host-1", 5, running(vm("a", 64))), 0)).isTrue();
        assertThat(records.report(report("host-1", 4), 0)).isFalse();
        assertThat(stateOfA(0)).isEqualTo("RUNNING");
    }

    @Test
    void aNewIncarnationStartsAnewAndTheOldOneIsNotHeardAgain() {
        records.report(report("host-1", 50, running(vm("a", 64))), 0);
        assertThat(records.report(incarnation("two", report("host-1", 1)), 0)).isTrue();
        assertThat(records.report(report("host-1", 51, running(vm("a", 64))), 0))
                .isFalse();
        assertThat(stateOfA(0)).isEqualTo("LOST");
    }

    @Test
    void aVmThatAnAgentHasLetGoSinceItWasStartedAnewIsNotLost() {
        records.report(report("host-1", 1), 0);
        records.report(incarnation("two", report("host-1", 1, running(vm("a", 64)))), 0);
        records.report(incarnation("two", report("host-1", 2)), 0);
        assertThat(stateOfA(0)).as("the host that has it now reports next").isEqualTo("MISSING");
        records.report(incarnation("three", report("host-1", 1)), 0);
        assertThat(stateOfA(0)).as("it died with the agent that had it").isEqualTo("LOST");
    }

    @Test
    void aVmOfADownHostIsLostUnlessAnotherHostReportsIt() {
        records.report(report("host-1", 1, running(vm("a", 64))), 0);
        records.listed("host-1", Listed.REACHABLE);
        records.listed("host-1", Listed.ABSENT);
        assertThat(stateOfA(LATER)).isEqualTo("LOST");
        assertThat(records.show(lasting, LATER).hosts().getFirst().state()).isEqualTo("DOWN");
        records.report(report("host-2", 1, at(2, false, Optional.empty())), LATER);
        records.listed("host-2", Listed.REACHABLE);
        assertThat(records.show(lasting, LATER).vms().getFirst().host()).contains("host-2");
        assertThat(stateOfA(LATER)).isEqualTo("RUNNING");
    }

    @Test
    void aLostVmSaysWhatItsPolicyMakesOfThat() {
        records.report(report("host-1", 1, running(vm("a", 64))), 0);
        records.report(report("host-2", 1, running(vm("b", 64).withHa(VmSpec.RESTART))), 0);
        records.listed("host-1", Listed.ABSENT);
        records.listed("host-2", Listed.ABSENT);
        List<VmView> lost = records.show(FleetState.EMPTY, LATER).vms();
        assertThat(lost).extracting(VmView::state).containsOnly("LOST");
        assertThat(lost.getFirst().failure().orElseThrow())
                .contains("host-1's agent is gone, and the VM with it unless the host is only cut off")
                .contains("policy is leave")
                .contains("host fence host-1 --confirmed-down");
        assertThat(lost.getLast().failure().orElseThrow())
                .contains("host-2's agent is gone, and the VM with it unless the host is only cut off")
                .contains("policy is restart");
    }

    @Test
    void aQemuGuestOfADownHostIsUnknownBecauseItGoesOnWithoutItsAgent() {
        records.report(report("host-1", 1, running(vm("q", "qemu", 64))), 0);
        records.listed("host-1", Listed.ABSENT);
        VmView seen = records.show(FleetState.EMPTY, LATER).vms().getFirst();
        assertThat(seen.state()).isEqualTo("UNKNOWN");
        assertThat(seen.host()).contains("host-1");
        assertThat(seen.failure().orElseThrow())
                .contains("host-1's agent is away")
                .contains("may still run");
        assertThat(records.show(FleetState.EMPTY, LATER).hosts().getFirst().state())
                .isEqualTo("DOWN");
    }

    @Test
    void aVmOfAnUnreachableHostIsUnknown() {
        records.report(report("host-1", 1, running(vm("a", 64))), 0);
        records.listed("host-1", Listed.UNREACHABLE);
        assertThat(stateOfA(0)).isEqualTo("UNKNOWN");
    }

    @Test
    void aHostThatReportsIsUpThoughItsAgentIsNotListedYet() {
        records.report(report("host-1", 1), 0);
        FleetShown shown = records.show(lasting, 1_000_000);
        assertThat(shown.hosts().getFirst().state()).isEqualTo("UP");
        assertThat(shown.hosts().getFirst().ageMs()).isEqualTo(1);
    }

    @Test
    void aVmThatMovesIsWhereTheHighestEpochSays() {
        records.report(report("host-1", 1, at(1, false, Optional.of("m-1"))), 0);
        records.report(report("host-2", 1, at(1, true, Optional.of("m-1"))), 0);
        var moving = records.show(lasting, 0).vms().getFirst();
        assertThat(moving.host()).contains("host-1");
        assertThat(moving.migration()).contains("m-1");
        records.report(report("host-2", 2, at(2, false, Optional.empty())), 0);
        assertThat(records.show(lasting, 0).vms().getFirst().host()).contains("host-2");
    }

    @Test
    void aRegisteredVmThatNobodyReportsIsMissingAndACordonOutlivesTheReports() {
        FleetState cordoned = lasting.apply(new HostCordoned("host-9", true));
        FleetShown shown = records.show(cordoned, 0);
        assertThat(shown.vms().getFirst().state()).isEqualTo("MISSING");
        assertThat(shown.hosts().getFirst().cordoned()).isTrue();
        assertThat(shown.hosts().getFirst().inventory()).isEmpty();
    }
}
