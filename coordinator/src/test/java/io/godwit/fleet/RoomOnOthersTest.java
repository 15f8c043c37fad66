package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.plan.Pictures;
import io.godwit.plan.Placement;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.migration.MigrationOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator over three played hosts: host-1's VM fits nowhere before one of the others has moved. */
class RoomOnOthersTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final MigrationOptions OPTIONS = new MigrationOptions(300, true, 0, 20_000);

    @TempDir
    private Path data;

    private static <A> A get(CompletionStage<A> stage) {
        return stage.toCompletableFuture().join();
    }

    @Test
    void aHostIsEmptiedThoughAVmOfAnotherHasToMakeRoom() throws IOException {
        FakeHosts hosts = new FakeHosts();
        hosts.add("host-1", 1000, Map.of());
        hosts.add("host-2", 1000, Map.of());
        hosts.add("host-3", 1000, Map.of());
        try (CoordinatorNode node = CoordinatorNode.start(
                new NodeOptions("127.0.0.1", 0, data, List.of()), ConfigFactory.parseString("""
                        godwit.migration.resend-interval = 200 ms
                        godwit.evacuation.look-interval = 200 ms
                        """))) {
            Coordinator coordinator = node.coordinator();
            hosts.joinAll(node.system());
            await().atMost(SOON)
                    .ignoreExceptions()
                    .until(() -> get(coordinator.fleet()).hosts().stream()
                                    .filter(host -> host.state().equals("UP"))
                                    .count()
                            == 3);
            get(coordinator.createVm(Pictures.vm("a", 600), Optional.of("host-1")));
            get(coordinator.createVm(Pictures.vm("x", 500), Optional.of("host-2")));
            get(coordinator.createVm(Pictures.vm("y", 480), Optional.of("host-3")));
            await().atMost(SOON)
                    .until(() -> get(coordinator.fleet()).vms().stream()
                                    .filter(vm -> vm.state().equals("RUNNING"))
                                    .count()
                            == 3);

            List<Placement> forbidden = get(coordinator.planEvacuation(List.of("host-1"), OPTIONS, false))
                    .placements();
            assertThat(forbidden)
                    .singleElement()
                    .satisfies(placement -> assertThat(placement.reason().orElseThrow())
                            .contains("there would be room if x went from host-2 to host-3"));
            assertThat(get(coordinator.planEvacuation(List.of("host-1"), OPTIONS))
                            .placements())
                    .extracting(Placement::vm, placement -> placement.to().orElseThrow(), Placement::makesRoomFor)
                    .containsExactly(tuple("x", "host-3", List.of("a")), tuple("a", "host-2", List.of()));

            String id =
                    get(coordinator.startEvacuation(List.of("host-1"), OPTIONS)).id();
            EvacuationView end = await().atMost(SOON)
                    .until(
                            () -> get(coordinator.evacuation(id)),
                            view -> view.state().equals("COMPLETED")
                                    || view.state().equals("FAILED"));
            assertThat(end.state()).isEqualTo("COMPLETED");
            assertThat(end.vms())
                    .extracting(VmRow::vm, VmRow::state, VmRow::makesRoomFor)
                    .containsExactly(tuple("x", "MOVED", List.of("a")), tuple("a", "MOVED", List.of()));
            assertThat(hosts.runners("a")).containsExactly("host-2");
            assertThat(hosts.runners("x")).containsExactly("host-3");
            assertThat(hosts.runners("y")).containsExactly("host-3");
            assertThat(get(coordinator.ownership("y")).epoch())
                    .as("y was not touched")
                    .isEqualTo(1);
        }
    }
}
