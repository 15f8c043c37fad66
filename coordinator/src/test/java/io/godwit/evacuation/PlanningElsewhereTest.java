package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.godwit.plan.FirstFit;
import io.godwit.plan.Pictures;
import io.godwit.plan.Planner;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.vm.VmSpec;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** An evacuation whose planner takes its time: it goes on with what it knows, and what it does not know any more is not done. */
class PlanningElsewhereTest {
    private final Semaphore leave = new Semaphore(0);
    private final AtomicInteger asked = new AtomicInteger();

    /** Plans by first fit, each time when it is let. */
    private final Planner slow = request -> {
        asked.incrementAndGet();
        leave.acquireUninterruptibly();
        return new FirstFit().plan(request);
    };

    private static HostView drained(VmSpec... vms) {
        return Pictures.host("host-1", "UP", true, 1000, Map.of(), vms);
    }

    private static HostView open(String host) {
        return Pictures.up(host, 1000, Map.of());
    }

    private static HostView closed(String host) {
        return Pictures.host(host, "UP", true, 1000, Map.of());
    }

    private static FleetShown lost(FleetShown fleet, String vm) {
        return new FleetShown(
                fleet.hosts(),
                fleet.vms().stream()
                        .map(view -> view.spec().name().equals(vm)
                                ? new VmView(
                                        view.spec(),
                                        "LOST",
                                        view.host(),
                                        view.epoch(),
                                        Optional.empty(),
                                        Optional.of("it died"))
                                : view)
                        .toList());
    }

    @Test
    void answersWhileAPlanIsBeingMade() {
        FleetShown fleet = Pictures.fleet(drained(Pictures.vm("a", 64)), open("host-2"));
        try (var saga = new EvacuationFixture(slow, fleet)) {
            saga.start();
            await().until(() -> asked.get() == 1);
            assertThat(saga.view().state()).isEqualTo("PLANNING");
            assertThat(saga.started).isEmpty();
            leave.release();
            assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-2");
            assertThat(asked).hasValue(1);
        }
    }

    @Test
    void aDestinationThatClosedWhileThePlanWasMadeIsNotUsed() {
        VmSpec a = Pictures.vm("a", 64);
        try (var saga = new EvacuationFixture(slow, Pictures.fleet(drained(a), open("host-2"), closed("host-3")))) {
            saga.start();
            await().until(() -> asked.get() == 1);
            saga.show(Pictures.fleet(drained(a), closed("host-2"), open("host-3")));
            leave.release();
            // the plan says host-2, which waits for another one
            assertThat(saga.untilRow("a", row -> row.to().isPresent()).to()).contains("host-2");
            await().until(() -> asked.get() == 2);
            leave.release();
            assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-3");
            assertThat(saga.started).hasSize(1);
        }
    }

    @Test
    void othersGoOnWhileOneIsPlannedAgain() {
        VmSpec a = Pictures.vm("a", 64);
        VmSpec b = Pictures.vm("b", 64);
        VmSpec c = Pictures.vm("c", 64);
        try (var saga = new EvacuationFixture(slow, Pictures.fleet(drained(a, b, c), open("host-2"), open("host-3")))) {
            leave.release();
            saga.start();
            saga.ended("e-1-a-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            await().until(() -> asked.get() == 2); // for a
            saga.ended("e-1-b-1", MigrationPhase.COMPLETED, Optional.empty());
            // two leave at a time: it is c's turn
            saga.migration("e-1-c-1");
            assertThat(EvacuationFixture.row(saga.view(), "a").state()).isEqualTo("WAITING");
            saga.ended("e-1-c-1", MigrationPhase.COMPLETED, Optional.empty());
            leave.release();
            assertThat(saga.migration("e-1-a-2").to()).isEqualTo("host-3");
            assertThat(asked).hasValue(2);
        }
    }

    @Test
    void aPlanForAVmThatHasDiedMeanwhileIsDropped() {
        VmSpec a = Pictures.vm("a", 64);
        VmSpec b = Pictures.vm("b", 64);
        FleetShown fleet = Pictures.fleet(drained(a, b), open("host-2"), open("host-3"));
        try (var saga = new EvacuationFixture(slow, fleet)) {
            leave.release();
            saga.start();
            saga.ended("e-1-a-1", MigrationPhase.FAILED, Optional.of("the link broke"));
            await().until(() -> asked.get() == 2); // for a
            saga.show(lost(fleet, "a"));
            saga.untilRow("a", row -> row.state().equals("LOST"));
            saga.show(fleet); // else it would be found lost again
            leave.release();
            saga.ended("e-1-b-1", MigrationPhase.COMPLETED, Optional.empty());
            var end = saga.until(view -> view.state().equals("FAILED"));
            assertThat(EvacuationFixture.row(end, "a").state()).isEqualTo("LOST");
            assertThat(EvacuationFixture.row(end, "a").migrations()).containsExactly("e-1-a-1");
        }
    }

    @Test
    void aPlanThatWasBeingMadeWhenTheCoordinatorDiedIsMadeAnew() {
        FleetShown fleet = Pictures.fleet(drained(Pictures.vm("a", 64)), open("host-2"));
        try (var saga = new EvacuationFixture(slow, fleet)) {
            saga.start();
            await().until(() -> asked.get() == 1);
            saga.restart();
            await().until(() -> asked.get() == 2);
            leave.release(2);
            assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-2");
            assertThat(saga.view().vms()).hasSize(1);
        }
    }
}
