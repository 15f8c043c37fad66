package io.godwit.fleet;

import static io.godwit.plan.Pictures.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.lease.LeaseTerms;
import io.godwit.proto.Names;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator with its H2 journal and short leases; only the hosts are played. */
class RestartTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String SETTINGS = """
            godwit.lease {
              duration = 1 s
              stop-within = 100 ms
              round-interval = 50 ms
            }
            godwit.coordinator {
              restart-after = 300 ms
              restart-interval = 100 ms
              restart-retry-min = 100 ms
              report-fresh = 500 ms
            }
            """;
    private static final LeaseTerms TERMS = new LeaseTerms(Duration.ofSeconds(1), 0.1, Duration.ofMillis(100));

    @TempDir
    private Path data;

    private final FakeHosts hosts = new FakeHosts();
    private CoordinatorNode node;
    private Coordinator coordinator;

    @BeforeEach
    void start() throws IOException {
        hosts.add("host-1", 1000, Map.of());
        hosts.add("host-2", 1000, Map.of());
        hosts.add("host-3", 1000, Map.of());
        startNode();
    }

    private void startNode() throws IOException {
        node = CoordinatorNode.start(
                new NodeOptions("127.0.0.1", 0, data, List.of()), ConfigFactory.parseString(SETTINGS));
        coordinator = node.coordinator();
        hosts.joinAll(node.system());
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> get(coordinator.fleet()).hosts().stream()
                                .filter(host -> host.state().equals("UP")
                                        && host.inventory().isPresent())
                                .count()
                        == hosts.inSight());
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static <A> A get(CompletionStage<A> stage) {
        return stage.toCompletableFuture().join();
    }

    private void create(String name, long mib, String host, String ha) {
        get(coordinator.createVm(vm(name, mib).withHa(ha), Optional.of(host)));
        await().atMost(SOON).until(() -> view(name).state().equals("RUNNING"));
    }

    private VmView view(String vm) {
        return get(coordinator.fleet()).vms().stream()
                .filter(one -> one.spec().name().equals(vm))
                .findFirst()
                .orElseThrow();
    }

    private void awaitRunningOn(String vm, String host) {
        await().atMost(SOON)
                .until(() -> view(vm).state().equals("RUNNING")
                        && view(vm).host().equals(Optional.of(host))
                        && get(coordinator.ownership(vm)).grants(host));
    }

    private void awaitWord(String vm, String word) {
        await().atMost(SOON).until(() -> view(vm).failure().orElse("").contains(word));
    }

    @Test
    void aVmOfADeadHostIsStartedAnewOnceItsLeaseHasRunOutAndNotBefore() {
        create("a", 100, "host-1", VmSpec.RESTART);
        create("b", 100, "host-1", VmSpec.LEAVE);
        await().atMost(SOON).ignoreExceptions().until(() -> hosts.renewedNanos("a") > 0);
        hosts.powerOff(node.system(), "host-1");
        // the next host renews it as well
        long renewed = hosts.renewedNanos("a");
        awaitWord("a", "when the lease of host host-1 has run out for certain");
        await().atMost(SOON).until(() -> !hosts.runners("a").isEmpty());
        assertThat(System.nanoTime() - renewed).isGreaterThan(TERMS.overAfterNanos());
        awaitRunningOn("a", "host-2");
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(2);
        assertThat(view("b").state()).isEqualTo("LOST");
        assertThat(view("b").failure().orElseThrow()).contains("policy is leave");
        assertThat(get(coordinator.ownership("b")).grants("host-1")).isTrue();
    }

    /** Behind a cut it may run on, and another VM of its name would be the second. */
    @Test
    void aVmOfAHostThatIsOutOfSightIsNotDestroyed() {
        create("a", 100, "host-1", VmSpec.LEAVE);
        hosts.cutOff(node.system(), "host-1");
        await().atMost(SOON).until(() -> view("a").state().equals("LOST"));
        assertThatThrownBy(() -> get(coordinator.destroyVm("a")))
                .hasCauseInstanceOf(CoordinatorException.Refused.class)
                .hasMessageContaining("may still run on host host-1")
                .hasMessageContaining("host fence host-1 --confirmed-down");
        assertThatThrownBy(() -> get(coordinator.createVm(vm("a", 100), Optional.empty())))
                .hasMessageContaining("there is a vm 'a' already");
        hosts.back(node.system(), "host-1");
        await().atMost(SOON).until(() -> view("a").state().equals("RUNNING"));
        get(coordinator.destroyVm("a"));
        assertThat(hosts.vmsOn("host-1")).isEmpty();
    }

    /** Its agent reports without it all the while. */
    @Test
    void aVmThatIsLongInComingIntoBeingIsNotStartedAnew() {
        hosts.slow.add("host-1");
        CompletionStage<?> creation = coordinator.createVm(vm("a", 100).withHa(VmSpec.RESTART), Optional.of("host-1"));
        awaitWord("a", "host host-1 may have yet to be told to create it");
        await().atMost(SOON).until(() -> hosts.keepsBack("host-1"));
        hosts.goOn("host-1");
        get(creation);
        awaitRunningOn("a", "host-1");
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(1);
    }

    @Test
    void anAgentThatIsBackWithoutItsGuestIsTakenAtItsWord() {
        create("a", 100, "host-1", VmSpec.RESTART);
        create("b", 100, "host-1", VmSpec.LEAVE);
        hosts.restart("host-1");
        await().atMost(SOON).until(() -> get(coordinator.ownership("a")).epoch() == 2);
        await().atMost(SOON).until(() -> hosts.runners("a").size() == 1);
        assertThat(get(coordinator.vmHistory("a")).owners().get(1).why())
                .isEqualTo("fenced off: host host-1's agent is back and does not run it");
        assertThat(view("b").state()).isEqualTo("LOST");
        assertThat(view("b").failure().orElseThrow())
                .contains("host-1's agent was started anew without it")
                .contains("policy is leave");
    }

    @Test
    void aHostThatWasCutOffDestroysWhatWasGivenToAnother() {
        create("a", 100, "host-1", VmSpec.RESTART);
        create("b", 100, "host-1", VmSpec.LEAVE);
        hosts.cutOff(node.system(), "host-1");
        awaitRunningOn("a", "host-2");
        assertThat(hosts.vmsOn("host-1")).contains("a", "b");
        hosts.back(node.system(), "host-1");
        await().atMost(SOON).until(() -> hosts.vmsOn("host-1").equals(Set.of("b")));
        assertThat(hosts.runners("a")).containsExactly("host-2");
    }

    @Test
    void aHostThatStillRenewsKeepsItsVmsThoughTheClusterHasLostIt() {
        create("a", 100, "host-1", VmSpec.RESTART);
        hosts.outOfSight(node.system(), "host-1");
        awaitWord("a", "unless it is renewed");
        long renewed = hosts.renewedNanos("a");
        await().atMost(SOON).until(() -> hosts.renewedNanos("a") - renewed > 2 * TERMS.overAfterNanos());
        assertThat(get(coordinator.ownership("a")).grants("host-1")).isTrue();
        assertThat(hosts.runners("a")).containsExactly("host-1");
        hosts.powerOff(node.system(), "host-1");
        awaitRunningOn("a", "host-2");
    }

    @Test
    void aVmThatFitsNowhereWaitsSaysWhyAndIsNotForgotten() throws IOException {
        create("a", 600, "host-1", VmSpec.RESTART);
        create("b", 600, "host-2", VmSpec.LEAVE);
        create("c", 600, "host-3", VmSpec.LEAVE);
        hosts.powerOff(node.system(), "host-1");
        awaitWord("a", "needs 600 MiB: host-1 is down, host-2 has 400 MiB free of 1000 MiB");
        assertThat(view("a").failure().orElseThrow()).contains("the lease of host host-1 ran out");
        assertThat(get(coordinator.ownership("a")).host()).isEmpty();
        // nor by a coordinator that knows of it from the ledger only
        node.close();
        startNode();
        awaitWord("a", "needs 600 MiB");
        get(coordinator.destroyVm("c"));
        awaitRunningOn("a", "host-3");
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(2);
    }

    @Test
    void aVmThatWaitsCanBeDestroyed() {
        create("a", 600, "host-1", VmSpec.RESTART);
        create("b", 600, "host-2", VmSpec.LEAVE);
        create("c", 600, "host-3", VmSpec.LEAVE);
        hosts.powerOff(node.system(), "host-1");
        awaitWord("a", "needs 600 MiB");
        get(coordinator.destroyVm("a"));
        assertThat(get(coordinator.ownership("a")).waiting()).isEmpty();
        get(coordinator.destroyVm("b"));
        assertThat(hosts.runners("a")).isEmpty();
    }

    @Test
    void anOpenHandoffIsSettledBeforeItsVmIsStartedAnew() {
        create("a", 100, "host-1", VmSpec.RESTART);
        OwnershipReply open = get(AskPattern.<OwnershipCommand, OwnershipReply>ask(
                ClusterSharding.get(node.system()).entityRefFor(Names.OWNERSHIP, "a"),
                replyTo -> new BeginHandoff("a", "m-x", "host-1", "host-2", 1, 2000, replyTo),
                SOON,
                node.system().scheduler()));
        assertThat(open).isInstanceOf(OwnershipAccepted.class);
        hosts.powerOff(node.system(), "host-1");
        awaitWord("a", "when the handoff of migration m-x is settled");
        awaitRunningOn("a", "host-2");
        assertThat(get(coordinator.vmHistory("a")).owners())
                .extracting(VmHistory.Owner::host, VmHistory.Owner::epoch)
                .as("created, aborted, fenced off, started anew")
                .containsExactly(
                        tuple(Optional.of("host-1"), 1L),
                        tuple(Optional.of("host-1"), 2L),
                        tuple(Optional.empty(), 2L),
                        tuple(Optional.of("host-2"), 3L));
    }

    @Test
    void aHostThatRefusesToStartItIsPassedOver() {
        create("a", 100, "host-1", VmSpec.RESTART);
        hosts.broken.add("host-2");
        hosts.powerOff(node.system(), "host-1");
        awaitRunningOn("a", "host-3");
        assertThat(get(coordinator.ownership("a")).epoch())
                .as("it was host-2's for a moment")
                .isEqualTo(3);
        assertThat(get(coordinator.vmHistory("a")).owners())
                .extracting(VmHistory.Owner::host, VmHistory.Owner::epoch, VmHistory.Owner::why)
                .containsExactly(
                        tuple(Optional.of("host-1"), 1L, "created"),
                        tuple(Optional.empty(), 1L, "fenced off: the lease of host host-1 ran out"),
                        tuple(Optional.of("host-2"), 2L, "started anew from its spec, its memory lost"),
                        tuple(Optional.empty(), 2L, "fenced off: host host-2: it is broken"),
                        tuple(Optional.of("host-3"), 3L, "started anew from its spec, its memory lost"));
    }

    @Test
    void aCoordinatorThatWasRestartedStartsVmsAnewAsWell() throws IOException {
        create("a", 100, "host-1", VmSpec.RESTART);
        hosts.powerOff(node.system(), "host-1");
        node.close();
        startNode();
        await().atMost(SOON).until(() -> !hosts.runners("a").isEmpty());
        assertThat(hosts.runners("a")).hasSize(1);
        assertThat(get(coordinator.ownership("a")).epoch()).isEqualTo(2);
    }

    @Test
    void aQemuGuestIsStartedAnewOnAPersonsWordOnly() {
        hosts.qemu.add("host-1");
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet())
                        .hosts()
                        .getFirst()
                        .inventory()
                        .orElseThrow()
                        .drivers()
                        .contains("qemu"));
        get(coordinator.createVm(vm("q", "qemu", 100).withHa(VmSpec.RESTART), Optional.of("host-1")));
        await().atMost(SOON).until(() -> view("q").state().equals("RUNNING"));
        hosts.powerOff(node.system(), "host-1");
        awaitWord("q", "its QEMU may run on though nobody reaches its agent");
        assertThat(get(coordinator.ownership("q")).grants("host-1")).isTrue();
        hosts.qemu.add("host-3");
        Fenced fenced = get(coordinator.fence("host-1"));
        assertThat(fenced.vms())
                .singleElement()
                .satisfies(row -> assertThat(row.state()).isIn("RESTARTED", "WAITING"));
        awaitRunningOn("q", "host-3");
    }

    @Test
    void whatAPersonFencesOffIsStartedAnewEvenWhenThereIsRoomOnlyLater() {
        create("a", 600, "host-1", VmSpec.LEAVE);
        create("b", 600, "host-2", VmSpec.LEAVE);
        create("c", 600, "host-3", VmSpec.LEAVE);
        hosts.powerOff(node.system(), "host-1");
        await().atMost(SOON)
                .until(() -> get(coordinator.fleet()).hosts().getFirst().state().equals("DOWN"));
        Fenced fenced = get(coordinator.fence("host-1"));
        assertThat(fenced.vms()).singleElement().satisfies(row -> {
            assertThat(row.state()).isEqualTo("WAITING");
            assertThat(row.detail()).contains("needs 600 MiB");
        });
        awaitWord("a", "an operator confirmed that host host-1 is down");
        get(coordinator.destroyVm("b"));
        awaitRunningOn("a", "host-2");
    }
}
