package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.godwit.plan.DrainPlanner;
import io.godwit.plan.Pictures;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.vm.VmSpec;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** An evacuation of host-1, whose one VM, a, fits nowhere before x of host-2 has gone. */
class RoomMakingTest {
    private static final VmSpec A = Pictures.vm("a", 600);
    private static final VmSpec X = Pictures.vm("x", 500);
    private static final VmSpec Y = Pictures.vm("y", 480);
    private static final VmSpec Y1 = Pictures.vm("y1", 490);

    private static HostView drained(VmSpec... vms) {
        return Pictures.host("host-1", "UP", true, 1000, Map.of(), vms);
    }

    private static HostView up(String host, VmSpec... vms) {
        return Pictures.up(host, 1000, Map.of(), vms);
    }

    private static FleetShown before() {
        return Pictures.fleet(drained(A), up("host-2", X), up("host-3", Y));
    }

    private static FleetShown roomMade() {
        return Pictures.fleet(drained(A), up("host-2"), up("host-3", Y, X));
    }

    private static EvacuationFixture saga(FleetShown fleet) {
        return new EvacuationFixture(new DrainPlanner(10_000), fleet);
    }

    private static void comesToItsEnd(EvacuationFixture saga) {
        saga.show(roomMade());
        assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-2");
        saga.show(Pictures.fleet(drained(), up("host-2", A), up("host-3", Y, X)));
        saga.ended("e-1-a-1", MigrationPhase.COMPLETED, Optional.empty());
        saga.until(view -> view.state().equals("COMPLETED"));
    }

    @Test
    void aVmStartsWhenTheOneThatMakesRoomForItHasGone() {
        try (var saga = saga(before())) {
            saga.start();
            assertThat(saga.migration("e-1-x-1").to()).isEqualTo("host-3");
            VmRow x = saga.untilRow("x", row -> row.state().equals("MIGRATING"));
            assertThat(x.makesRoomFor()).containsExactly("a");
            VmRow a = EvacuationFixture.row(saga.view(), "a");
            assertThat(a.state()).isEqualTo("WAITING");
            assertThat(a.to()).contains("host-2");
            assertThat(a.makesRoomFor()).isEmpty();
            assertThat(a.reason().orElseThrow()).contains("waits for room: host host-2 has 500 MiB free");
            saga.ended("e-1-x-1", MigrationPhase.COMPLETED, Optional.empty());
            saga.untilRow("x", row -> row.state().equals("MOVED"));
            assertThat(saga.started).containsOnlyKeys("e-1-x-1");
            comesToItsEnd(saga);
        }
    }

    @Test
    void anotherWayIsFoundWhenMakingRoomFails() {
        try (var saga = saga(Pictures.fleet(drained(A), up("host-2", X), up("host-3", Y), up("host-4", Y1)))) {
            saga.start();
            String first = saga.migration("e-1-x-1").to();
            saga.ended("e-1-x-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            VmRow again = saga.untilRow("x", row -> row.migrations().size() == 2);
            assertThat(again.to()).isPresent().isNotEqualTo(Optional.of(first));
            assertThat(again.reason()).contains("the link broke");
            saga.ended("e-1-x-2", MigrationPhase.COMPLETED, Optional.empty());
            saga.show(Pictures.fleet(drained(A), up("host-2"), up("host-3", Y), up("host-4", Y1, X)));
            assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-2");
        }
    }

    @Test
    void anotherMakesRoomWhenTheFirstCannot() {
        try (var saga = saga(before())) {
            saga.start();
            saga.ended("e-1-x-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            // x may not go to host-3 any more: y goes to host-2, and a takes its place
            assertThat(saga.migration("e-1-y-1").to()).isEqualTo("host-2");
            assertThat(saga.untilRow("a", row -> row.to().equals(Optional.of("host-3")))
                            .state())
                    .isEqualTo("WAITING");
            VmRow x = saga.untilRow("x", row -> row.state().equals("STAYS"));
            assertThat(x.reason()).contains("the link broke");
            saga.show(Pictures.fleet(drained(A), up("host-2", X, Y), up("host-3")));
            saga.ended("e-1-y-1", MigrationPhase.COMPLETED, Optional.empty());
            saga.migration("e-1-a-1");
            saga.show(Pictures.fleet(drained(), up("host-2", X, Y), up("host-3", A)));
            saga.ended("e-1-a-1", MigrationPhase.COMPLETED, Optional.empty());
            // that x could not be moved is no failure: it need not be
            saga.until(view -> view.state().equals("COMPLETED"));
        }
    }

    @Test
    void aCoordinatorThatDiesInTheMiddleCarriesOn() {
        try (var saga = saga(before())) {
            saga.start();
            saga.migration("e-1-x-1");
            var view = saga.view();
            saga.restart();
            assertThat(saga.migration("e-1-x-1").to()).isEqualTo("host-3");
            assertThat(saga.until(now -> now.state().equals("RUNNING")).vms())
                    .extracting(VmRow::vm, VmRow::to, VmRow::state, VmRow::makesRoomFor)
                    .containsExactlyElementsOf(view.vms().stream()
                            .map(row -> tuple(row.vm(), row.to(), row.state(), row.makesRoomFor()))
                            .toList());
            saga.ended("e-1-x-1", MigrationPhase.COMPLETED, Optional.empty());
            saga.untilRow("x", row -> row.state().equals("MOVED"));
            saga.restart();
            comesToItsEnd(saga);
        }
    }

    /** Another evacuation moves x from host-2 to host-3. */
    private static FleetShown moved() {
        return Pictures.fleet(
                drained(A),
                Pictures.reports("host-2", 1000, Pictures.moving(X, "e-2-x-1", false)),
                Pictures.reports("host-3", 1000, Pictures.running(Y), Pictures.moving(X, "e-2-x-1", true)));
    }

    private static void waitsForX(EvacuationFixture saga) {
        VmRow a = saga.untilRow("a", row -> row.reason().orElse("").contains("waits for room"));
        assertThat(a.to()).contains("host-2");
        assertThat(a.state()).isEqualTo("WAITING");
    }

    @Test
    void aVmThatTwoEvacuationsChoseMakesRoomForBoth() {
        try (var saga = saga(before())) {
            saga.start();
            saga.migration("e-1-x-1");
            saga.show(moved());
            saga.ended("e-1-x-1", MigrationPhase.FAILED, Optional.of("e-2-x-1 moves it"));
            VmRow x = saga.untilRow("x", row -> row.state().equals("STAYS"));
            assertThat(x.reason()).contains("e-2-x-1 moves it");
            waitsForX(saga);
            comesToItsEnd(saga);
            assertThat(saga.started).containsOnlyKeys("e-1-x-1", "e-1-a-1");
        }
    }

    @Test
    void theRoomOfAVmThatAnotherEvacuationMovesIsWaitedFor() {
        try (var saga = saga(moved())) {
            saga.start();
            waitsForX(saga);
            assertThat(saga.view().vms()).hasSize(1);
            comesToItsEnd(saga);
        }
    }

    @Test
    void roomThatDoesNotComeIsNotWaitedFor() {
        try (var saga = saga(moved())) {
            saga.start();
            waitsForX(saga);
            saga.show(before());
            assertThat(saga.migration("e-1-x-1").to()).isEqualTo("host-3");
        }
    }

    @Test
    void aVmForWhichNobodyCanMakeRoomStays() {
        try (var saga = saga(before())) {
            saga.start();
            saga.ended("e-1-x-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            saga.untilRow("x", row -> row.state().equals("STAYS"));
            saga.migration("e-1-y-1");
            saga.ended("e-1-y-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            VmRow a = saga.untilRow("a", row -> row.state().equals("UNPLACEABLE"));
            assertThat(a.reason().orElseThrow())
                    .contains("host-3 has 520 MiB free")
                    .contains("no way to make room by moving others was found");
            assertThat(saga.until(view -> view.state().equals("FAILED")).vms())
                    .extracting(VmRow::state)
                    .containsExactlyInAnyOrder("UNPLACEABLE", "STAYS", "STAYS");
        }
    }

    @Test
    void nobodyElseIsMovedWhenThatIsForbidden() {
        try (var saga = saga(before())) {
            saga.start(false);
            VmRow a = saga.untilRow("a", row -> row.state().equals("UNPLACEABLE"));
            assertThat(a.reason().orElseThrow())
                    .contains("there would be room if x went from host-2 to host-3, but no other VM may be moved");
            assertThat(saga.until(view -> view.state().equals("FAILED")).vms()).hasSize(1);
            assertThat(saga.started).isEmpty();
        }
    }
}
