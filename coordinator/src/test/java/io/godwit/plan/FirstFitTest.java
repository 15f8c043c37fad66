package io.godwit.plan;

import static io.godwit.plan.Pictures.fleet;
import static io.godwit.plan.Pictures.host;
import static io.godwit.plan.Pictures.up;
import static io.godwit.plan.Pictures.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.plan.Fleet.Reservation;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FirstFitTest {
    private final FirstFit planner = new FirstFit();

    private Plan drain(FleetShown shown, String drained, String... vms) {
        return planner.plan(Fleet.of(shown), Set.of(drained), List.of(vms), Map.of());
    }

    @Test
    void placesTheBiggestVmFirstAndEachWhereThereIsRoomLeft() {
        FleetShown shown = fleet(
                up("host-1", 1000, Map.of(), vm("a", 100), vm("b", 300), vm("c", 200)),
                up("host-2", 500, Map.of(), vm("x", 100)),
                up("host-3", 1000, Map.of()));
        assertThat(drain(shown, "host-1", "a", "b", "c").placements())
                .containsExactly(
                        new Placement("b", "host-1", Optional.of("host-2"), Optional.empty()),
                        new Placement("c", "host-1", Optional.of("host-3"), Optional.empty()),
                        new Placement("a", "host-1", Optional.of("host-2"), Optional.empty()));
    }

    @Test
    void saysForEveryHostWhyADeviceIsNotToBeHad() {
        FleetShown shown = fleet(
                up("host-1", 1000, Map.of("gpu", 1), vm("a", 100, "gpu")),
                up("host-2", 1000, Map.of("gpu", 1), vm("x", 100, "gpu")),
                host("host-3", "UP", true, 1000, Map.of("gpu", 4)),
                host("host-4", "DOWN", false, 1000, Map.of("gpu", 4)),
                host("host-5", "UNREACHABLE", false, 1000, Map.of("gpu", 4)));
        assertThat(drain(shown, "host-1", "a").placements().getFirst().reason())
                .contains("needs 1 gpu: host-2 has 0 free of 1, host-3 is cordoned, host-4 is down,"
                        + " host-5 is unreachable");
    }

    @Test
    void namesTwentyHostsAndCountsTheRest() {
        List<HostView> hosts = new ArrayList<>(List.of(up("host-00", 1000, Map.of(), vm("a", 300))));
        for (int h = 1; h <= 25; h++) {
            hosts.add(up(String.format(Locale.ROOT, "host-%02d", h), 200, Map.of()));
        }
        assertThat(drain(fleet(hosts.toArray(HostView[]::new)), "host-00", "a")
                        .placements()
                        .getFirst()
                        .reason()
                        .orElseThrow())
                .contains("host-20 has 200 MiB free of 200 MiB, and 5 others cannot take it either")
                .doesNotContain("host-21");
    }

    @Test
    void saysHowMuchMemoryIsMissing() {
        FleetShown shown = fleet(up("host-1", 1000, Map.of(), vm("a", 256)), up("host-2", 512, Map.of(), vm("x", 412)));
        assertThat(drain(shown, "host-1", "a").placements().getFirst().reason())
                .contains("needs 256 MiB: host-2 has 100 MiB free of 512 MiB");
    }

    @Test
    void namesEachConstraintWhenHostsFailDifferentOnes() {
        FleetShown shown = fleet(
                up("host-1", 1000, Map.of("gpu", 1), vm("a", 256, "gpu")),
                up("host-2", 512, Map.of("gpu", 1), vm("x", 412)),
                up("host-3", 512, Map.of()));
        assertThat(drain(shown, "host-1", "a").placements().getFirst().reason())
                .contains("needs 256 MiB and 1 gpu: host-2 has 100 MiB free of 512 MiB, host-3 has 0 gpu free of 0");
    }

    @Test
    void keepsAKvmGuestFromAHostWithoutKvm() {
        FleetShown shown = fleet(up("host-1", 1000, Map.of(), vm("a", "kvm", 100)), up("host-2", 1000, Map.of()));
        assertThat(drain(shown, "host-1", "a").placements().getFirst().reason())
                .contains("needs the kvm driver: host-2 has only soft");
    }

    @Test
    void takesOffWhatIsPlannedButNotYetReported() {
        FleetShown shown = fleet(up("host-1", 1000, Map.of(), vm("a", 300)), up("host-2", 500, Map.of()));
        Fleet reserved = Fleet.of(shown).with(List.of(new Reservation(vm("y", 300), "host-2")));
        assertThat(planner.plan(reserved, Set.of("host-1"), List.of("a"), Map.of())
                        .complete())
                .isFalse();
        FleetShown arrived =
                fleet(up("host-1", 1000, Map.of(), vm("a", 200)), up("host-2", 500, Map.of(), vm("y", 300)));
        Fleet counted = Fleet.of(arrived).with(List.of(new Reservation(vm("y", 300), "host-2")));
        assertThat(planner.plan(counted, Set.of("host-1"), List.of("a"), Map.of())
                        .complete())
                .isTrue();
    }

    @Test
    void avoidsHostsThatHaveFailedToTakeTheVm() {
        FleetShown shown = fleet(up("host-1", 1000, Map.of(), vm("a", 300)), up("host-2", 500, Map.of()));
        assertThat(planner.plan(Fleet.of(shown), Set.of("host-1"), List.of("a"), Map.of("a", Set.of("host-2")))
                        .placements()
                        .getFirst()
                        .reason())
                .contains("needs another host: host-2 has failed to take it");
    }

    @Test
    void refusesAVmThatTheFleetDoesNotHave() {
        assertThatThrownBy(() -> drain(fleet(up("host-1", 1000, Map.of())), "host-1", "ghost"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("vm 'ghost' is on no host");
    }
}
