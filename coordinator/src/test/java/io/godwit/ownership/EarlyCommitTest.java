package io.godwit.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import java.time.Duration;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A destination that has loaded the VM before its source could wish for the handoff. */
class EarlyCommitTest {
    private static final String ID = "Ownership|a";
    private static final LedgerClaimed CLAIMED = new LedgerClaimed("host-1", 1);
    private static final LedgerHandoffBegun BEGUN =
            new LedgerHandoffBegun(new Handoff("m-1", "host-1", "host-2", 20_000));

    private final ActorTestKit kit = ActorTestKit.create(PersistenceTestKitPlugin.getInstance()
            .config()
            .withFallback(ManualTime.config())
            .withFallback(ConfigFactory.load()));
    private final ManualTime time = ManualTime.get(kit.system());
    private final PersistenceTestKit journal = PersistenceTestKit.create(kit.system());
    private final TestProbe<OwnershipReply> source = kit.createTestProbe();
    private final TestProbe<OwnershipReply> destination = kit.createTestProbe();
    private final ActorRef<OwnershipCommand> ledger =
            kit.spawn(OwnershipEntity.create("a", PersistenceId.ofUniqueId(ID)));

    @BeforeEach
    void claim() {
        ledger.tell(new ClaimOwnership("a", "host-1", source.getRef()));
        source.receiveMessage();
    }

    @AfterEach
    void close() {
        kit.shutdownTestKit();
    }

    private void commit() {
        ledger.tell(new CommitHandoff("a", "m-1", 1, destination.getRef()));
    }

    private OwnershipReply begin() {
        ledger.tell(new BeginHandoff("a", "m-1", "host-1", "host-2", 1, 20_000, source.getRef()));
        return source.receiveMessage();
    }

    @Test
    void isAnsweredWithTheCommitAsSoonAsTheHandoffIsWishedFor() {
        commit();
        destination.expectNoMessage();
        OwnershipReply opened = begin();
        assertThat(opened).isInstanceOf(OwnershipAccepted.class);
        assertThat(opened.view().handoff()).contains(BEGUN.handoff());
        OwnershipReply committed = destination.receiveMessage();
        assertThat(committed).isInstanceOf(OwnershipAccepted.class);
        assertThat(committed.view().grants("host-2")).isTrue();
        assertThat(committed.view().epoch()).isEqualTo(2);
        assertThat(journal.persistedInStorage(ID))
                .containsExactly(CLAIMED, BEGUN, new LedgerCommitted("m-1", "host-2", 2));
    }

    @Test
    void isRefusedWhenNobodyWishesForTheHandoffInTime() {
        commit();
        time.timePasses(Duration.ofMillis(99));
        destination.expectNoMessage();
        time.timePasses(Duration.ofMillis(1));
        assertThat(destination.receiveMessage()).isInstanceOf(OwnershipRefused.class);
        assertThat(begin().view().handoff()).isPresent();
        destination.expectNoMessage();
        assertThat(journal.persistedInStorage(ID)).containsExactly(CLAIMED, BEGUN);
    }

    @Test
    void isRefusedWhenTheMigrationWasAbortedMeanwhile() {
        commit();
        ledger.tell(new AbortHandoff("a", "m-1", 1, "given up", source.getRef()));
        assertThat(source.receiveMessage()).isInstanceOf(OwnershipAccepted.class);
        assertThat(begin()).isInstanceOf(OwnershipRefused.class);
        time.timePasses(Duration.ofMillis(100));
        OwnershipReply refused = destination.receiveMessage();
        assertThat(refused).isInstanceOf(OwnershipRefused.class);
        assertThat(refused.view().grants("host-1")).isTrue();
        assertThat(refused.view().epoch()).isEqualTo(2);
    }

    @Test
    void ofAnotherMigrationCommitsNothing() {
        ledger.tell(new CommitHandoff("a", "m-0", 1, destination.getRef()));
        destination.expectNoMessage();
        assertThat(begin().view().handoff()).isPresent();
        assertThat(destination.receiveMessage()).isInstanceOf(OwnershipRefused.class);
        assertThat(journal.persistedInStorage(ID)).containsExactly(CLAIMED, BEGUN);
    }

    @Test
    void askedTwiceIsAnsweredTwice() {
        commit();
        commit();
        assertThat(destination.receiveMessage()).isInstanceOf(OwnershipRefused.class);
        begin();
        assertThat(destination.receiveMessage().view().grants("host-2")).isTrue();
    }
}
