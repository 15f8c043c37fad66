package io.godwit.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseCommand.FenceVm;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeaseReply.FenceHolds;
import io.godwit.proto.lease.LeaseReply.LeaseMayLast;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.snapshot.H2Store;
import io.godwit.snapshot.SnapshotSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lender of leases with a real journal; its clock is the test's. */
class LeaseEntityTest {
    private static final LeaseTerms TERMS = new LeaseTerms(Duration.ofSeconds(20), 0.1, Duration.ofSeconds(2));
    private static final LeaseSettings SETTINGS = new LeaseSettings(
            TERMS,
            Duration.ofMillis(20),
            Duration.ofSeconds(90),
            Duration.ofSeconds(100),
            new SnapshotSettings(10_000, 1));
    private static final LeasedVm A1 = new LeasedVm("a", 1);

    @TempDir
    private Path folder;

    private final AtomicLong now = new AtomicLong(1L << 40);
    private H2Store store;
    private TestProbe<LeaseReply> client;

    @BeforeEach
    void open() {
        store = new H2Store(folder, "");
        client = store.kit.createTestProbe();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ActorRef<LeaseCommand> lender() {
        return lender(SETTINGS);
    }

    private ActorRef<LeaseCommand> lender(LeaseSettings settings) {
        return store.kit.spawn(LeaseEntity.create(now::get, settings));
    }

    private LeaseReply ask(ActorRef<LeaseCommand> lender, LeaseCommand question) {
        lender.tell(question);
        return client.receiveMessage();
    }

    private RenewLeases renew(long number, LeasedVm... vms) {
        return new RenewLeases("host-1", number, List.of(vms), client.getRef());
    }

    private FenceVm fence(String vm, long epoch) {
        return new FenceVm(vm, epoch, false, client.getRef());
    }

    private void pass(long nanos) {
        now.addAndGet(nanos);
    }

    /** It has held its first round: from then on it counts. */
    private ActorRef<LeaseCommand> begun() {
        ActorRef<LeaseCommand> lender = lender();
        ask(lender, renew(0));
        return lender;
    }

    @Test
    void aLeaseIsOverWhenItHasNotBeenRenewedForLongEnough() {
        ActorRef<LeaseCommand> lender = begun();
        assertThat(ask(lender, renew(1, A1))).isEqualTo(new LeasesRenewed(1, 20_000, List.of(A1), List.of()));
        pass(TERMS.overAfterNanos() - 1);
        assertThat(ask(lender, fence("a", 1))).isEqualTo(new LeaseMayLast("a", 1));
        ask(lender, renew(2, A1));
        pass(TERMS.overAfterNanos() - 1);
        assertThat(ask(lender, fence("a", 1))).isInstanceOf(LeaseMayLast.class);
        pass(1);
        assertThat(ask(lender, fence("a", 1))).isEqualTo(new FenceHolds("a", 1));
        assertThat(ask(lender, renew(3, A1, new LeasedVm("b", 1))))
                .isEqualTo(new LeasesRenewed(3, 20_000, List.of(new LeasedVm("b", 1)), List.of(A1)));
        LeasedVm anew = new LeasedVm("a", 2);
        assertThat(ask(lender, renew(4, anew))).isEqualTo(new LeasesRenewed(4, 20_000, List.of(anew), List.of()));
    }

    @Test
    void fencesAtOnceForOneWhoSeesToTheRest() {
        ActorRef<LeaseCommand> lender = begun();
        ask(lender, renew(1, A1));
        assertThat(ask(lender, fence("a", 1))).isInstanceOf(LeaseMayLast.class);
        assertThat(ask(lender, new FenceVm("a", 1, true, client.getRef()))).isEqualTo(new FenceHolds("a", 1));
        assertThat(ask(lender, renew(2, A1))).isEqualTo(new LeasesRenewed(2, 20_000, List.of(), List.of(A1)));
    }

    @Test
    void aSuccessorWaitsAWholeLeaseAndKnowsWhatWasFencedOff() {
        ActorRef<LeaseCommand> first = begun();
        pass(TERMS.overAfterNanos());
        ask(first, fence("b", 3));
        store.kit.stop(first);
        ActorRef<LeaseCommand> second = begun();
        assertThat(ask(second, fence("b", 3))).isEqualTo(new FenceHolds("b", 3));
        assertThat(ask(second, renew(1, new LeasedVm("b", 3))))
                .isEqualTo(new LeasesRenewed(1, 20_000, List.of(), List.of(new LeasedVm("b", 3))));
        assertThat(ask(second, fence("a", 1)))
                .as("what the first one has lent may last")
                .isEqualTo(new LeaseMayLast("a", 1 + TERMS.overAfterNanos() / 1_000_000));
        pass(TERMS.overAfterNanos());
        assertThat(ask(second, fence("a", 1))).isEqualTo(new FenceHolds("a", 1));
    }

    @Test
    void oneThatWasCutOffLendsNothingAndFencesNothing() {
        ActorRef<LeaseCommand> old = begun();
        ActorRef<LeaseCommand> successor = begun();
        pass(TERMS.overAfterNanos());
        // the successor's round is in the journal: whatever the old one wants to write is refused, and it says nothing
        old.tell(fence("a", 1));
        client.expectNoMessage(Duration.ofMillis(500));
        // it begins anew, and is then the one that lends: the successor's turn to be refused
        assertThat(ask(successor, fence("b", 1))).isInstanceOf(FenceHolds.class);
        TestProbe<LeaseReply> other = store.kit.createTestProbe();
        await().atMost(20, TimeUnit.SECONDS).until(() -> {
            old.tell(new FenceVm("a", 1, false, other.getRef()));
            LeaseReply reply = other.receiveMessage();
            return reply instanceof LeaseMayLast;
        });
    }

    @Test
    void oneThatHasSleptForLongReadsTheJournalBeforeItWrites() {
        ActorRef<LeaseCommand> lender = begun();
        int before = store.events("Leases").size();
        pass(Duration.ofSeconds(101).toNanos());
        lender.tell(renew(1, A1));
        client.expectNoMessage(Duration.ofMillis(500));
        assertThat(store.events("Leases"))
                .as("the round of the sleeper was not written")
                .hasSize(before);
        assertThat(ask(lender, renew(2, A1))).isInstanceOf(LeasesRenewed.class);
        assertThat(ask(lender, fence("a", 1))).isInstanceOf(LeaseMayLast.class);
    }

    @Test
    void roundsAreForgottenButWhatIsFencedOffIsNot() {
        LeaseSettings often = new LeaseSettings(
                new LeaseTerms(Duration.ofMillis(1), 0, Duration.ZERO),
                Duration.ofMillis(20),
                Duration.ofMillis(40),
                Duration.ofMillis(50),
                new SnapshotSettings(5, 1));
        ActorRef<LeaseCommand> lender = lender(often);
        ask(lender, renew(0));
        pass(2_000_000);
        assertThat(ask(lender, fence("a", 4))).isInstanceOf(FenceHolds.class);
        await().atMost(20, TimeUnit.SECONDS).until(() -> {
            ask(lender, renew(1, A1));
            List<Long> events = store.events("Leases");
            return !events.isEmpty() && events.getFirst() > 5;
        });
        store.kit.stop(lender);
        assertThat(ask(lender(often), fence("a", 4))).isEqualTo(new FenceHolds("a", 4));
    }
}
