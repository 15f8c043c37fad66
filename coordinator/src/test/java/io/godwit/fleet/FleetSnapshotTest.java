package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.godwit.plan.Pictures;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.CordonHost;
import io.godwit.proto.fleet.FleetCommand.DeregisterVm;
import io.godwit.proto.fleet.FleetCommand.RegisterVm;
import io.godwit.proto.fleet.FleetCommand.ReportHost;
import io.godwit.proto.fleet.FleetCommand.ShowFleet;
import io.godwit.proto.fleet.FleetReply;
import io.godwit.proto.fleet.FleetReply.FleetChanged;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.snapshot.Damage;
import io.godwit.snapshot.H2Store;
import io.godwit.snapshot.SnapshotSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FleetSnapshotTest {
    private static final String ID = FleetView.PERSISTENCE_ID.id();

    @TempDir
    private Path folder;

    private H2Store store;
    private volatile long now;
    private volatile int nodes;
    private TestProbe<FleetReply> client;
    private ActorRef<FleetCommand> fleet;

    @BeforeEach
    void openStore() {
        store = new H2Store(folder, "");
        client = store.kit.createTestProbe();
        fleet = spawn();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    private ActorRef<FleetCommand> spawn() {
        return store.kit.spawn(FleetView.create(
                () -> now, () -> nodes, Duration.ofSeconds(3), Duration.ofMinutes(1), new SnapshotSettings(3, 2)));
    }

    private void restart() {
        store.kit.stop(fleet);
        fleet = spawn();
    }

    private void register(String... names) {
        for (String name : names) {
            fleet.tell(new RegisterVm(Pictures.vm(name, 64, "gpu"), client.getRef()));
            client.expectMessageClass(FleetChanged.class);
        }
    }

    private void cordon(String host) {
        fleet.tell(new ReportHost(Pictures.inventory(host, 1, 1000, Map.of(), List.of())));
        fleet.tell(new CordonHost(host, true, client.getRef()));
        client.expectMessageClass(FleetChanged.class);
    }

    private FleetShown show() {
        fleet.tell(new ShowFleet(client.getRef()));
        return client.expectMessageClass(FleetShown.class);
    }

    private void holdsHostOneCordonedAndVms(String... names) {
        FleetShown shown = show();
        assertThat(shown.vms().stream().map(vm -> vm.spec()))
                .containsExactlyElementsOf(List.of(names).stream()
                        .map(name -> Pictures.vm(name, 64, "gpu"))
                        .toList());
        assertThat(shown.hosts()).singleElement().satisfies(host -> {
            assertThat(host.host()).isEqualTo("host-1");
            assertThat(host.cordoned()).isTrue();
        });
    }

    private void toASnapshotAndTwoEvents() {
        cordon("host-1");
        register("a", "b", "c");
        fleet.tell(new DeregisterVm("a", client.getRef()));
        client.expectMessageClass(FleetChanged.class);
        assertThat(store.snapshots(ID)).containsExactly(3L);
    }

    @Test
    void saysThatHostsHaveYetToReportForAWhile() {
        assertThat(show().partial()).isFalse();
        nodes = 2;
        assertThat(show().partial()).isTrue();
        cordon("host-1");
        assertThat(show().partial()).isTrue();
        cordon("host-2");
        assertThat(show().partial()).isFalse();
        register("a"); // the node of the host that has it may not be back in the cluster
        assertThat(show().partial()).isTrue();
        now = Duration.ofMinutes(1).toNanos();
        assertThat(show().partial()).isFalse();
    }

    @Test
    void recoversFromASnapshotAndTheEventsAfterIt() {
        toASnapshotAndTwoEvents();
        store.deleteEventsBeforeSnapshot(ID);
        restart();
        holdsHostOneCordonedAndVms("b", "c");
        assertThat(store.events(ID)).containsExactly(4L, 5L);
    }

    @ParameterizedTest
    @EnumSource
    void dropsASnapshotThatNoLongerReadsAndReplaysTheEvents(Damage damage) {
        toASnapshotAndTwoEvents();
        damage.to(store, ID);
        store.kit.stop(fleet);
        damage.expectDropped(store, ID, () -> fleet = spawn());
        holdsHostOneCordonedAndVms("b", "c");
        // as many events were replayed as are due for a snapshot: the new one is there at once
        await().untilAsserted(() -> assertThat(store.snapshots(ID)).containsExactly(3L, 5L));
        register("d");
        store.deleteEventsBeforeSnapshot(ID);
        restart();
        holdsHostOneCordonedAndVms("b", "c", "d");
    }

    /** Without this, the test above would show no more than that snapshots are not read at all. */
    @Test
    void aDamagedSnapshotWouldBeFatalIfItWereNotOptional() {
        toASnapshotAndTwoEvents();
        Damage.BYTES.to(store, ID);
        store.close();
        store = new H2Store(folder, "jdbc-snapshot-store.snapshot-is-optional = false");
        LoggingTestKit.error("Exception during recovery from snapshot").expect(store.kit.system(), () -> {
            fleet = spawn();
            return true;
        });
    }

    @Test
    void keepsTwoSnapshotsAndEveryEvent() {
        cordon("host-1");
        register("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k");
        await().untilAsserted(() -> assertThat(store.snapshots(ID)).containsExactly(9L, 12L));
        assertThat(store.events(ID)).hasSize(12).startsWith(1L).endsWith(12L);
    }
}
