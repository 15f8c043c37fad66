package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.DrainPlanner;
import io.godwit.plan.Pictures;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An evacuation of host-1 whose coordinator has died: the next FleetView has yet to hear the hosts. */
class PartialPictureTest {
    private static final VmSpec A = Pictures.vm("a", 100);
    private static final VmSpec B = Pictures.vm("b", 100);
    private static final VmSpec C = Pictures.vm("c", 100);
    private static final int LOOKS = 4;

    private static HostView drained(VmSpec... vms) {
        return Pictures.host("host-1", "UP", true, 1000, Map.of(), vms);
    }

    private static HostView up(String host, VmSpec... vms) {
        return Pictures.up(host, 1000, Map.of(), vms);
    }

    /** Those hosts have reported; others have {@code missing}, or may. */
    private static FleetShown shown(boolean partial, List<VmSpec> missing, HostView... heard) {
        FleetShown part = Pictures.fleet(heard);
        Stream<VmView> unseen = missing.stream()
                .map(spec -> new VmView(
                        spec, "MISSING", Optional.empty(), 0, Optional.empty(), Optional.of("no host reports it")));
        return new FleetShown(
                part.hosts(), Stream.concat(part.vms().stream(), unseen).toList(), partial);
    }

    private static EvacuationFixture saga(FleetShown fleet) {
        return new EvacuationFixture(new DrainPlanner(10_000), fleet);
    }

    /** Two of three are on their way to host-2, and the third waits its turn. */
    private static EvacuationFixture underWay() {
        var saga = saga(Pictures.fleet(drained(A, B, C), up("host-2")));
        saga.start();
        await(saga, 2);
        return saga;
    }

    private static void await(EvacuationFixture saga, int migrations) {
        saga.until(view -> view.vms().stream()
                        .filter(row -> row.state().equals("MIGRATING"))
                        .count()
                == migrations);
    }

    private static List<String> states(EvacuationFixture saga) {
        return saga.view().vms().stream().map(VmRow::state).sorted().toList();
    }

    @Test
    void givesNoVmUpWhoseSourceHasYetToReport() {
        try (var saga = underWay()) {
            saga.showFor(shown(true, List.of(A, B, C), up("host-2")), LOOKS);
            assertThat(states(saga)).containsExactly("MIGRATING", "MIGRATING", "WAITING");
            saga.showFor(shown(true, List.of(A, B, C)), LOOKS);
            assertThat(states(saga)).containsExactly("MIGRATING", "MIGRATING", "WAITING");
            saga.show(Pictures.fleet(drained(A, B, C), up("host-2")));
            String first = List.copyOf(saga.started.keySet()).getFirst();
            saga.ended(first, MigrationPhase.COMPLETED, Optional.empty());
            saga.until(_ -> saga.started.size() == 3);
        }
    }

    @Test
    void looksForNoOtherDestinationWhileItsOwnHasYetToReport() {
        try (var saga = underWay()) {
            saga.showFor(shown(true, List.of(), drained(A, B, C), up("host-3")), LOOKS);
            assertThat(saga.view().vms()).extracting(VmRow::to).containsOnly(Optional.of("host-2"));
        }
    }

    @Test
    void aVmIsLostWhoseHostIsNotToBeHeardOfAgain() {
        try (var saga = underWay()) {
            saga.show(shown(false, List.of(A, B, C), up("host-2")));
            VmRow lost =
                    saga
                            .until(view -> view.vms().stream()
                                    .anyMatch(row -> row.state().equals("LOST")))
                            .vms()
                            .stream()
                            .filter(row -> row.state().equals("LOST"))
                            .findFirst()
                            .orElseThrow();
            assertThat(lost.reason()).contains("no host reports it");
        }
    }

    @Test
    void saysOfNoVmThatItFitsNowhereBeforeAllHostsHaveReported() {
        try (var saga = saga(shown(true, List.of(), drained(A), up("host-3", Pictures.vm("x", 950))))) {
            saga.start();
            saga.showFor(shown(true, List.of(), drained(A), up("host-3", Pictures.vm("x", 950))), LOOKS);
            assertThat(saga.view().state()).isEqualTo("PLANNING");
            saga.show(Pictures.fleet(drained(A), up("host-2"), up("host-3", Pictures.vm("x", 950))));
            assertThat(saga.migration("e-1-a-1").to()).isEqualTo("host-2");
        }
    }
}
