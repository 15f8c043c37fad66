package io.godwit.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.fleet.HostView;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** VMs of other hosts that make room for host-1's: where nothing else helps, few, and never on a host that is closed. */
class LiveRoomTest {
    private static final Set<String> DRAINED = Set.of("host-1");

    private final DrainPlanner planner = new DrainPlanner(10_000);

    private static HostView up(String host, long mib, VmSpec... vms) {
        return Pictures.up(host, mib, Map.of(), vms);
    }

    private static HostView cordoned(String host, long mib, VmSpec... vms) {
        return Pictures.host(host, "UP", true, mib, Map.of(), vms);
    }

    /** All other VMs may be moved. */
    private Plan plan(Map<String, Set<String>> avoid, boolean makeRoom, HostView... hosts) {
        Fleet fleet = Fleet.of(Pictures.fleet(hosts));
        List<String> drained = fleet.vms().values().stream()
                .filter(vm -> vm.host().equals("host-1"))
                .map(vm -> vm.spec().name())
                .sorted()
                .toList();
        return planner.plan(new PlanRequest(
                fleet, DRAINED, drained, avoid, 0, Set.copyOf(fleet.vms().keySet()), makeRoom));
    }

    private Plan plan(HostView... hosts) {
        return plan(Map.of(), true, hosts);
    }

    private static Placement of(Plan plan, String vm) {
        return plan.placements().stream()
                .filter(placement -> placement.vm().equals(vm))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> names(Plan plan) {
        return plan.placements().stream().map(Placement::vm).toList();
    }

    @Test
    void oneMakesRoomWhereOneMustAndGoesFirst() {
        Plan plan = plan(
                up("host-1", 1000, Pictures.vm("a", 600)),
                up("host-2", 1000, Pictures.vm("x", 500)),
                up("host-3", 1000, Pictures.vm("y", 480)));
        assertThat(plan.complete()).isTrue();
        assertThat(names(plan)).containsExactly("x", "a");
        Placement x = of(plan, "x");
        Placement a = of(plan, "a");
        assertThat(x.makesRoomFor()).containsExactly("a");
        assertThat(x.from()).isEqualTo("host-2");
        assertThat(x.to()).contains("host-3");
        assertThat(a.makesRoomFor()).isEmpty();
        assertThat(a.to()).contains("host-2");
        Placement.Timing first = x.timing().orElseThrow();
        assertThat(a.timing().orElseThrow().startMs()).isGreaterThanOrEqualTo(first.startMs() + first.durationMs());
    }

    @Test
    void aChainOfTwo() {
        // c fits beside b when that is alone, b beside z, and nowhere is there room for a
        Plan plan = plan(
                up("host-1", 1000, Pictures.vm("a", 900)),
                up("host-2", 1000, Pictures.vm("b", 600)),
                up("host-3", 1000, Pictures.vm("c", 500)),
                up("host-4", 1000, Pictures.vm("d", 450)));
        assertThat(plan.complete()).isTrue();
        assertThat(plan.placements()).hasSizeLessThanOrEqualTo(3);
        assertThat(of(plan, "a").to()).isPresent();
        plan.placements().stream()
                .filter(placement -> !placement.vm().equals("a"))
                .forEach(placement -> assertThat(placement.makesRoomFor()).isNotEmpty());
    }

    @Test
    void nobodyElseIsMovedWhereAllFitWithoutThat() {
        HostView[] hosts = {
            up("host-1", 1000, Pictures.vm("a", 300), Pictures.vm("b", 200)),
            up("host-2", 1000, Pictures.vm("x", 500)),
            up("host-3", 1000, Pictures.vm("y", 700))
        };
        Plan plan = plan(hosts);
        assertThat(names(plan)).containsExactlyInAnyOrder("a", "b");
        assertThat(plan).isEqualTo(planner.plan(Fleet.of(Pictures.fleet(hosts)), DRAINED, List.of("a", "b"), Map.of()));
    }

    @Test
    void saysThatMovingOthersDoesNotHelpAndPlacesTheRest() {
        Plan plan = plan(
                up("host-1", 2000, Pictures.vm("a", 900), Pictures.vm("b", 300)),
                up("host-2", 1000, Pictures.vm("x", 500)),
                up("host-3", 1000, Pictures.vm("y", 600)));
        assertThat(names(plan)).containsExactly("b", "a");
        assertThat(of(plan, "a").reason().orElseThrow())
                .startsWith("needs 900 MiB: host-2 has ")
                .endsWith("; no way to make room by moving others was found");
    }

    @Test
    void saysWhatWouldMakeItPossibleWhereOthersMayNotBeMoved() {
        Plan plan = plan(
                Map.of(),
                false,
                up("host-1", 1000, Pictures.vm("a", 600)),
                up("host-2", 1000, Pictures.vm("x", 500)),
                up("host-3", 1000, Pictures.vm("y", 480)));
        assertThat(names(plan)).containsExactly("a");
        assertThat(of(plan, "a").reason())
                .contains("needs 600 MiB: host-2 has 500 MiB free of 1000 MiB, host-3 has 520 MiB free of 1000 MiB;"
                        + " there would be room if x went from host-2 to host-3, but no other VM may be moved");
    }

    @Test
    void whoMakesRoomGoesToNoClosedDrainedOrAvoidedHost() {
        HostView[] hosts = {
            up("host-1", 4000, Pictures.vm("a", 600)),
            up("host-2", 1000, Pictures.vm("x", 500)),
            cordoned("host-3", 4000),
            Pictures.host("host-4", "UNREACHABLE", false, 4000, Map.of()),
            up("host-5", 500),
            up("host-6", 500)
        };
        assertThat(of(plan(Map.of("x", Set.of("host-5")), true, hosts), "x").to())
                .contains("host-6");
        assertThat(plan(Map.of("x", Set.of("host-5", "host-6")), true, hosts).complete())
                .isFalse();
    }

    @Test
    void nobodyOfAClosedHostIsMovedAndNobodyWhoMayNotBe() {
        HostView[] hosts = {
            up("host-1", 1000, Pictures.vm("a", 600)),
            cordoned("host-2", 1000, Pictures.vm("x", 500)),
            up("host-3", 500),
            up("host-4", 1000, Pictures.vm("y", 500))
        };
        Plan plan = plan(hosts);
        assertThat(names(plan)).containsExactly("y", "a");
        Fleet fleet = Fleet.of(Pictures.fleet(hosts));
        assertThat(names(planner.plan(new PlanRequest(fleet, DRAINED, List.of("a"), Map.of(), 0, Set.of("x"), true))))
                .containsExactly("a");
    }

    @Test
    void aDeviceIsRoomAsWell() {
        Plan plan = plan(
                Pictures.up("host-1", 1000, Map.of("gpu", 1), Pictures.vm("a", 100, "gpu")),
                Pictures.up("host-2", 1000, Map.of("gpu", 1), Pictures.vm("x", 100, "gpu")),
                Pictures.up("host-3", 50, Map.of("gpu", 1)),
                Pictures.up("host-4", 1000, Map.of("gpu", 2), Pictures.vm("y", 950, "gpu")),
                Pictures.up("host-5", 960, Map.of("gpu", 1)));
        // x cannot go where y is, a could not either: y goes to host-5, or a goes there at once
        assertThat(plan.complete()).isTrue();
        assertThat(names(plan)).containsExactly("a");
    }

    @Test
    void twoGoWhereOneDoesNotDoAndNoneIsMovedInVain() {
        Plan plan = plan(
                up("host-1", 1000, Pictures.vm("a", 900)),
                up("host-2", 1000, Pictures.vm("x", 300), Pictures.vm("y", 300)),
                up("host-3", 700, Pictures.vm("z", 50)));
        assertThat(plan.complete()).isTrue();
        assertThat(names(plan)).containsExactlyInAnyOrder("x", "y", "a");
        assertThat(of(plan, "x").makesRoomFor()).containsExactly("a");
        assertThat(of(plan, "y").makesRoomFor()).containsExactly("a");
    }

    @Test
    void nobodyIsMovedTwiceForASwapRoundAThirdHost() {
        // x and y would have to change places for a, round host-4, which b needs in the end
        Fleet fleet = Fleet.of(Pictures.fleet(
                up("host-1", 1000, Pictures.vm("a", 300), Pictures.vm("b", 400)),
                up("host-2", 1000, Pictures.vm("x", 400), Pictures.vm("f", 400)),
                up("host-3", 1000, Pictures.vm("y", 300), Pictures.vm("g", 600)),
                up("host-4", 400)));
        Plan plan = planner.plan(new PlanRequest(
                fleet,
                DRAINED,
                List.of("a", "b"),
                Map.of("a", Set.of("host-4"), "b", Set.of("host-2", "host-3")),
                0,
                Set.of("x", "y"),
                true));
        assertThat(names(plan)).containsExactly("b", "a");
        assertThat(of(plan, "a").reason().orElseThrow()).endsWith("; no way to make room by moving others was found");
    }

    @Test
    void theSamePictureGivesTheSamePlan() {
        HostView[] hosts = {
            up("host-1", 1000, Pictures.vm("a", 600), Pictures.vm("b", 390)),
            up("host-2", 1000, Pictures.vm("x", 500)),
            up("host-3", 1000, Pictures.vm("y", 480)),
            up("host-4", 1000, Pictures.vm("z", 480))
        };
        Plan plan = plan(hosts);
        assertThat(plan.complete()).isTrue();
        assertThat(plan(hosts)).isEqualTo(plan);
        assertThat(plan.placements()).allMatch(placement -> !placement.to().equals(Optional.of("host-1")));
    }
}
