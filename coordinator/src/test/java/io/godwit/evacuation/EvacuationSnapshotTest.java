package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.godwit.plan.FirstFit;
import io.godwit.plan.Pictures;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.evacuation.EvacuationMessage.ShowEvacuation;
import io.godwit.proto.evacuation.EvacuationMessage.StartEvacuation;
import io.godwit.proto.evacuation.EvacuationReply;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationShown;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.ShowFleet;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.snapshot.Damage;
import io.godwit.snapshot.H2Store;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding.ShardCommand;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An evacuation of host-1 with two VMs, which go to host-2; fleet and ledgers are played, migrations never answer. */
class EvacuationSnapshotTest {
    private static final String ID = "Evacuation|e-1";

    @TempDir
    private Path folder;

    private H2Store store;
    private EvacuationPorts ports;
    private TestProbe<EvacuationReply> client;
    private TestProbe<ShardCommand> shard;
    private volatile TestProbe<MigrationMessage> migrations; // looked up by the entity each time it sends
    private ActorRef<EvacuationMessage> evacuation;

    @BeforeEach
    void start() {
        store = new H2Store(folder, """
                        godwit.evacuation.look-interval = 100 ms
                        godwit.evacuation.snapshots.every = 3
                        """);
        client = store.kit.createTestProbe();
        shard = store.kit.createTestProbe();
        migrations = store.kit.createTestProbe();
        var shown = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), Pictures.vm("a", 64), Pictures.vm("b", 64)),
                Pictures.up("host-2", 1000, Map.of()));
        ActorRef<FleetCommand> fleet = store.kit.spawn(Behaviors.receiveMessage(command -> {
            if (command instanceof ShowFleet(var replyTo)) {
                replyTo.tell(shown);
            }
            return Behaviors.same();
        }));
        ActorRef<OwnershipCommand> ledgers = store.kit.spawn(Behaviors.receiveMessage(command -> {
            if (command instanceof QueryOwnership(var vm, var replyTo)) {
                replyTo.tell(new OwnershipAccepted(
                        new OwnershipView(vm, Optional.of("host-1"), 7, Optional.empty(), Optional.empty())));
            }
            return Behaviors.same();
        }));
        ports = new EvacuationPorts(
                fleet,
                _ -> ledgers,
                _ -> migrations.getRef(),
                new FirstFit(),
                ForkJoinPool.commonPool(),
                InstantSource.fixed(Instant.ofEpochMilli(5)));
        evacuation = spawn();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ActorRef<EvacuationMessage> spawn() {
        return store.kit.spawn(EvacuationEntity.create(
                "e-1",
                PersistenceId.ofUniqueId(ID),
                shard.getRef(),
                EvacuationSettings.from(store.kit.system().settings().config()),
                ports));
    }

    private EvacuationView show() {
        evacuation.tell(new ShowEvacuation("e-1", client.getRef()));
        return client.expectMessageClass(EvacuationShown.class).view();
    }

    private EvacuationView toBothMigratingWithASnapshotOnTheWay() {
        evacuation.tell(new StartEvacuation(
                "e-1", List.of("host-1"), new MigrationOptions(300, true, 0, 20_000), true, client.getRef()));
        client.expectMessageClass(EvacuationShown.class);
        EvacuationView view = await().until(
                        this::show,
                        shown -> shown.vms().size() == 2
                                && shown.vms().stream()
                                        .allMatch(row -> row.state().equals("MIGRATING")));
        assertThat(store.snapshots(ID)).containsExactly(3L);
        assertThat(store.events(ID)).hasSize(4);
        return view;
    }

    private void asksForTheSameMigrations(EvacuationView view) {
        // what the entity asked before it stopped is in the old probe
        TestProbe<MigrationMessage> after = store.kit.createTestProbe();
        migrations = after;
        List<String> asked = List.of(
                after.expectMessageClass(StartMigration.class).migration(),
                after.expectMessageClass(StartMigration.class).migration());
        assertThat(asked)
                .containsExactlyElementsOf(view.vms().stream()
                        .map(VmRow::migrations)
                        .map(List::getLast)
                        .toList());
    }

    @Test
    void recoversFromASnapshotAndTheEventsAfterItAndGoesOn() {
        EvacuationView before = toBothMigratingWithASnapshotOnTheWay();
        store.deleteEventsBeforeSnapshot(ID);
        store.kit.stop(evacuation);
        evacuation = spawn();
        assertThat(show()).isEqualTo(before);
        asksForTheSameMigrations(before);
    }

    @ParameterizedTest
    @EnumSource
    void dropsASnapshotThatNoLongerReadsAndReplaysTheEvents(Damage damage) {
        EvacuationView before = toBothMigratingWithASnapshotOnTheWay();
        damage.to(store, ID);
        store.kit.stop(evacuation);
        damage.expectDropped(store, ID, () -> evacuation = spawn());
        assertThat(show()).isEqualTo(before);
        asksForTheSameMigrations(before);
    }
}
