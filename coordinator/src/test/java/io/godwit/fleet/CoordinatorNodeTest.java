package io.godwit.fleet;

import static io.godwit.plan.Pictures.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Refused;
import io.godwit.ownership.OwnershipEntity;
import io.godwit.plan.Placement;
import io.godwit.plan.Plan;
import io.godwit.proto.Names;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.RecipientRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator with its H2 journal; only the hosts are played. */
class CoordinatorNodeTest {
    private static final MigrationOptions OPTIONS = new MigrationOptions(300, true, 0, 20_000);
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path data;

    private final FakeHosts hosts = new FakeHosts();
    private CoordinatorNode node;
    private Coordinator coordinator;

    @BeforeEach
    void start() throws IOException {
        hosts.add("host-1", 1000, Map.of("gpu", 2));
        hosts.add("host-2", 1000, Map.of("gpu", 1));
        hosts.add("host-3", 1000, Map.of());
        startNode();
    }

    private void startNode() throws IOException {
        node = CoordinatorNode.start(new NodeOptions("127.0.0.1", 0, data, List.of()), ConfigFactory.parseString("""
                        godwit.migration.resend-interval = 200 ms
                        godwit.migration.passivate-after = 300 ms
                        godwit.evacuation.look-interval = 200 ms
                        godwit.evacuation.passivate-after = 300 ms
                        """));
        coordinator = node.coordinator();
        hosts.joinAll(node.system());
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> get(coordinator.fleet()).hosts().stream()
                                .filter(host -> host.state().equals("UP")
                                        && host.inventory().isPresent())
                                .count()
                        == 3);
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static <A> A get(CompletionStage<A> stage) {
        return stage.toCompletableFuture().join();
    }

    private void create(String name, long mib, String host, String... models) {
        get(coordinator.createVm(vm(name, mib, models), Optional.of(host)));
    }

    private MigrationView awaitEnd(String migration) {
        return await().atMost(SOON)
                .until(
                        () -> get(coordinator.migration(migration)),
                        view -> view.phase().ended());
    }

    private EvacuationView awaitEvacuation(String id) {
        return await().atMost(SOON)
                .until(
                        () -> get(coordinator.evacuation(id)),
                        view -> view.state().equals("COMPLETED") || view.state().equals("FAILED"));
    }

    private static VmRow row(EvacuationView view, String vm) {
        return view.vms().stream()
                .filter(row -> row.vm().equals(vm))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void createsChecksMovesAndDestroysAVm() {
        create("a", 100, "host-1");
        assertThat(get(coordinator.ownership("a")).host()).contains("host-1");
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(1);
        await().atMost(SOON)
                .until(() -> !get(coordinator.fleet()).vms().isEmpty()
                        && get(coordinator.fleet()).vms().getFirst().state().equals("RUNNING"));
        assertThat(get(coordinator.checkVm("a")).holds()).isTrue();
        MigrationView begun = get(coordinator.startMigration("a", Optional.of("host-3"), OPTIONS));
        MigrationView ended = awaitEnd(begun.id());
        assertThat(ended.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(ended.epoch()).isEqualTo(2);
        assertThat(hosts.runners("a")).containsExactly("host-3");
        assertThat(get(coordinator.migrations())).containsExactly(ended);
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet()).vms().getFirst().host().equals(Optional.of("host-3")));
        get(coordinator.destroyVm("a"));
        assertThat(hosts.runners("a")).isEmpty();
        assertThat(get(coordinator.ownership("a")).host()).isEmpty();
        await().atMost(SOON).until(() -> get(coordinator.fleet()).vms().isEmpty());
        create("a", 100, "host-2");
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(3);
    }

    @Test
    void theVmsOfAHostThatIsOffAreRestartedElsewhereOnAPersonsWordOnly() {
        create("a", 100, "host-1");
        create("b", 100, "host-2");
        assertThatThrownBy(() -> get(coordinator.fence("host-1")))
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("UP");
        assertThatThrownBy(() -> get(coordinator.fence("host-9"))).hasCauseInstanceOf(NotFound.class);
        hosts.powerOff(node.system(), "host-1");
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet()).hosts().getFirst().state().equals("DOWN"));
        assertThat(get(coordinator.ownership("a")).host())
                .as("nobody acts by himself")
                .contains("host-1");
        Fenced fenced = get(coordinator.fence("host-1"));
        assertThat(fenced.vms()).singleElement().satisfies(row -> {
            assertThat(row.vm()).isEqualTo("a");
            assertThat(row.state()).isEqualTo("RESTARTED");
        });
        assertThat(hosts.runners("a")).containsExactly(fenced.vms().getFirst().detail());
        assertThat(get(coordinator.ownership("a")).host())
                .contains(fenced.vms().getFirst().detail());
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(2);
        assertThat(get(coordinator.ownership("b")).epoch()).isEqualTo(1);
        assertThat(get(coordinator.fence("host-1")).vms())
                .as("nothing is left to do")
                .isEmpty();
    }

    @Test
    void aVmThatHasJustBeenCreatedOrMovedCanBeMovedAtOnce() {
        create("a", 100, "host-1");
        for (String to : List.of("host-2", "host-3", "host-1")) {
            MigrationView ended = awaitEnd(get(coordinator.startMigration("a", Optional.of(to), OPTIONS))
                    .id());
            assertThat(ended.phase()).isEqualTo(MigrationPhase.COMPLETED);
        }
        assertThat(get(coordinator.ownership("a")).host()).contains("host-1");
    }

    @Test
    void tellsWhatTheDevicesOfAVmSawInItsMigrationsAndWhereItIsNow() {
        long began = System.currentTimeMillis();
        create("a", 100, "host-1", "gpu");
        awaitRunning(1);
        MigrationView ended = awaitEnd(get(coordinator.startMigration("a", Optional.of("host-2"), OPTIONS))
                .id());
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet()).vms().getFirst().host().equals(Optional.of("host-2")));
        VmHistory now = get(coordinator.vmHistory("a"));
        assertThat(now.owners())
                .extracting(VmHistory.Owner::host, VmHistory.Owner::epoch, VmHistory.Owner::why)
                .containsExactly(
                        tuple(Optional.of("host-1"), 1L, "created"),
                        tuple(Optional.of("host-2"), 2L, "migration " + ended.id() + " committed"));
        assertThat(now.owners().getFirst().atMs())
                .isBetween(began, now.owners().getLast().atMs());
        assertThat(now)
                .isEqualTo(new VmHistory(
                        "a",
                        now.owners(),
                        List.of(new VmHistory.Move(ended, FakeHosts.logs("host-1"))),
                        Optional.of("host-2"),
                        FakeHosts.logs("host-2"),
                        Optional.empty()));
        get(coordinator.destroyVm("a"));
        await().atMost(SOON).until(() -> get(coordinator.fleet()).vms().isEmpty());
        VmHistory past = get(coordinator.vmHistory("a"));
        assertThat(past.host()).isEmpty();
        assertThat(past.migrations()).extracting(VmHistory.Move::migration).containsExactly(ended);
        assertThat(past.owners().getLast().host()).isEmpty();
        assertThat(past.owners().getLast().why()).isEqualTo("destroyed");
        assertThatThrownBy(() -> get(coordinator.vmHistory("zz"))).hasCauseInstanceOf(NotFound.class);
    }

    @Test
    void anOperatorChangesTheLimitsOfAMigrationThatPreCopies() {
        create("a", 100, "host-1");
        awaitRunning(1);
        hosts.stuck.add("host-1");
        String id = get(coordinator.startMigration("a", Optional.of("host-3"), OPTIONS))
                .id();
        MigrationView set = get(coordinator.adjustMigration(id, 800, 64 << 20));
        assertThat(set.limits().downtimeLimitMs()).isEqualTo(800);
        assertThat(set.limits().bandwidthBytesPerSecond()).isEqualTo(64 << 20);
        assertThat(set.steps().getFirst().step()).isEqualTo("downtime:800ms, bandwidth:64MiB/s");
        assertThatThrownBy(() -> get(coordinator.adjustMigration(id, 5000, -1)))
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("migration " + id + ": a downtime limit of 5000 ms is over the blackout budget");
        assertThatThrownBy(() -> get(coordinator.adjustMigration("m-0", 10, -1)))
                .hasCauseInstanceOf(NotFound.class);
    }

    @Test
    void refusesPostcopyBeforeAnythingStarts() {
        create("a", 100, "host-1", "gpu");
        create("b", 100, "host-1");
        awaitRunning(2);
        var postcopy = new MigrationOptions(300, true, 0, 20_000, 0, "wait:1s, postcopy");
        assertThatThrownBy(() -> get(coordinator.startMigration("a", Optional.empty(), postcopy)))
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("postcopy is not possible with a VFIO device: vm 'a' has dev-0 (gpu)");
        assertThatThrownBy(() -> get(coordinator.startMigration("b", Optional.empty(), postcopy)))
                .hasMessageContaining("postcopy is not offered for native guests (driver soft)");
        assertThat(get(coordinator.planEvacuation(List.of("host-1"), postcopy)).complete())
                .isFalse();
        EvacuationView view = awaitEvacuation(
                get(coordinator.startEvacuation(List.of("host-1"), postcopy)).id());
        assertThat(row(view, "a").state()).isEqualTo("FAILED");
        assertThat(row(view, "a").reason())
                .contains("postcopy is not possible with a VFIO device: vm 'a' has dev-0 (gpu)");
        assertThat(get(coordinator.migrations())).isEmpty();
    }

    @Test
    void undoesACreationThatTheHostRefuses() {
        hosts.broken.add("host-1");
        assertThatThrownBy(() -> create("a", 100, "host-1"))
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("host host-1: it is broken");
        assertThat(get(coordinator.ownership("a")).host()).isEmpty();
        assertThat(get(coordinator.fleet()).vms()).isEmpty();
    }

    @Test
    void answersBadRequestsWithWhatWasWrong() {
        create("a", 100, "host-1");
        awaitRunning(1);
        assertThatThrownBy(() -> create("a", 100, "host-2")).hasMessageContaining("there is a vm 'a' already");
        assertThatThrownBy(() -> create("B!", 100, "host-2")).hasMessageContaining("'B!' is not a VM name");
        assertThatThrownBy(() -> create("b", 2000, "host-2"))
                .hasMessageContaining("needs 2000 MiB: host-2 has 1000 MiB free of 1000 MiB");
        assertThatThrownBy(() -> create("b", 100, "host-9")).hasCauseInstanceOf(NotFound.class);
        assertThatThrownBy(() -> get(coordinator.destroyVm("zz"))).hasCauseInstanceOf(NotFound.class);
        assertThatThrownBy(() -> get(coordinator.migration("m-0"))).hasMessageContaining("no migration 'm-0'");
        assertThatThrownBy(() -> get(coordinator.evacuation("e-0"))).hasMessageContaining("no evacuation 'e-0'");
        assertThatThrownBy(() -> get(coordinator.startEvacuation(List.of("host-1", "host-9"), OPTIONS)))
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("no host 'host-9'");
        assertThatThrownBy(() -> get(coordinator.startMigration("a", Optional.of("host-1"), OPTIONS)))
                .hasMessageContaining("is on host 'host-1' already");
        assertThatThrownBy(() -> get(coordinator.cordon("host-9", true))).hasCauseInstanceOf(NotFound.class);
    }

    @Test
    void emptiesAHostWithinTheLimitsAndSaysWhatCannotMove() {
        create("a", 300, "host-1");
        create("b", 200, "host-1");
        create("c", 100, "host-1", "gpu", "gpu");
        awaitRunning(3);
        // host-2 is left to those that need its gpu; the short one goes first
        Plan plan = get(coordinator.planEvacuation(List.of("host-1"), OPTIONS));
        assertThat(plan.placements())
                .usingRecursiveFieldByFieldElementComparatorIgnoringFields("timing")
                .containsExactly(
                        new Placement("b", "host-1", Optional.of("host-3"), Optional.empty()),
                        new Placement("a", "host-1", Optional.of("host-3"), Optional.empty()),
                        new Placement(
                                "c",
                                "host-1",
                                Optional.empty(),
                                Optional.of("needs 2 gpu: host-2 has 1 free of 1, host-3 has 0 free of 0")));
        Placement.Timing first = plan.placements().getFirst().timing().orElseThrow();
        assertThat(plan.placements().get(1).timing().orElseThrow().startMs()).isEqualTo(first.durationMs());
        EvacuationView view = awaitEvacuation(
                get(coordinator.startEvacuation(List.of("host-1"), OPTIONS)).id());
        assertThat(view.state()).isEqualTo("FAILED");
        assertThat(row(view, "a").state()).isEqualTo("MOVED");
        assertThat(row(view, "b").state()).isEqualTo("MOVED");
        assertThat(row(view, "c").state()).isEqualTo("UNPLACEABLE");
        assertThat(row(view, "c").reason()).contains("needs 2 gpu: host-2 has 1 free of 1, host-3 has 0 free of 0");
        assertThat(hosts.vmsOn("host-1")).containsExactly("c");
        assertThat(hosts.runners("a")).containsExactly("host-3");
        assertThat(hosts.incomingPeak).containsEntry("host-3", 1);
        assertThat(get(coordinator.fleet()).hosts().getFirst().cordoned()).isTrue();
        assertThat(get(coordinator.evacuations())).containsExactly(view);
    }

    @Test
    void plansAnewWhenADestinationFails() {
        create("a", 300, "host-1");
        awaitRunning(1);
        hosts.broken.add("host-3");
        EvacuationView view = awaitEvacuation(
                get(coordinator.startEvacuation(List.of("host-1"), OPTIONS)).id());
        assertThat(view.state()).isEqualTo("COMPLETED");
        VmRow moved = row(view, "a");
        assertThat(moved.state()).isEqualTo("MOVED");
        assertThat(moved.to()).contains("host-2");
        assertThat(moved.migrations()).hasSize(2);
        assertThat(moved.reason()).contains("host host-3 could not take the VM: it is broken");
        assertThat(hosts.runners("a")).containsExactly("host-2");
    }

    @Test
    void emptyingAnEmptyHostIsDoneAtOnce() {
        EvacuationView view = awaitEvacuation(
                get(coordinator.startEvacuation(List.of("host-3"), OPTIONS)).id());
        assertThat(view.state()).isEqualTo("COMPLETED");
        assertThat(view.vms()).isEmpty();
    }

    @Test
    void aRestartedCoordinatorFinishesWhatTheJournalSays() throws IOException {
        create("a", 300, "host-1");
        create("b", 200, "host-1");
        awaitRunning(2);
        hosts.stuck.add("host-1");
        String id = get(coordinator.startEvacuation(List.of("host-1"), OPTIONS)).id();
        await().atMost(SOON)
                .until(() -> get(coordinator.migrations()).stream()
                        .anyMatch(migration -> migration.phase() == MigrationPhase.PRE_COPY));
        node.close();
        hosts.stuck.clear();
        startNode();
        EvacuationView view = awaitEvacuation(id);
        assertThat(view.state()).isEqualTo("COMPLETED");
        assertThat(hosts.vmsOn("host-1")).isEmpty();
        assertThat(hosts.runners("a")).hasSize(1);
        assertThat(hosts.runners("b")).hasSize(1);
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(2);
        assertThat(get(coordinator.fleet()).hosts().getFirst().cordoned()).isTrue();
    }

    @Test
    void theJournalRefusesASecondWriterOfTheSameLedger() {
        create("a", 100, "host-1");
        // a second incarnation, as a split cluster would have it: it has read what the first one wrote
        ActorRef<OwnershipCommand> second = node.system()
                .systemActorOf(
                        OwnershipEntity.create("a", PersistenceId.of("Ownership", "a")), "second", Props.empty());
        assertThat(answer(second, replyTo -> new QueryOwnership("a", replyTo))).isPresent();
        RecipientRef<OwnershipCommand> first =
                ClusterSharding.get(node.system()).entityRefFor(Names.OWNERSHIP, "a");
        assertThat(answer(first, replyTo -> new BeginHandoff("a", "m-1", "host-1", "host-2", 1, 20_000, replyTo)))
                .isPresent();
        assertThat(answer(second, replyTo -> new BeginHandoff("a", "m-2", "host-1", "host-3", 1, 20_000, replyTo)))
                .isEmpty();
        assertThat(get(coordinator.ownership("a")).handoff().orElseThrow().migration())
                .isEqualTo("m-1");
    }

    /** Empty when it does not answer: it has stopped. */
    private Optional<OwnershipReply> answer(
            RecipientRef<OwnershipCommand> ledger, Function<ActorRef<OwnershipReply>, OwnershipCommand> question) {
        return get(AskPattern.ask(
                        ledger, question, Duration.ofSeconds(3), node.system().scheduler())
                .<Optional<OwnershipReply>>handle((reply, failure) -> Optional.ofNullable(reply)));
    }

    private void awaitRunning(int vms) {
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet()).vms().stream()
                                .filter(vm -> vm.state().equals("RUNNING"))
                                .count()
                        == vms);
    }
}
