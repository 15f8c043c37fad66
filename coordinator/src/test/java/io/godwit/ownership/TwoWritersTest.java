package io.godwit.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import io.godwit.snapshot.H2Store;
import java.nio.file.Path;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two ledgers of one VM at the same time, as after a cut: one of them was given up and still believes in itself. */
class TwoWritersTest {
    private static final String ID = "Ownership|a";

    @TempDir
    private Path folder;

    private H2Store store;
    private TestProbe<OwnershipReply> client;

    @BeforeEach
    void open() {
        store = new H2Store(folder, "");
        client = store.kit.createTestProbe();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ActorRef<OwnershipCommand> ledger() {
        return store.kit.spawn(OwnershipEntity.create("a", PersistenceId.ofUniqueId(ID)));
    }

    private OwnershipReply ask(ActorRef<OwnershipCommand> ledger, OwnershipCommand question) {
        ledger.tell(question);
        return client.receiveMessage();
    }

    /** Both have read everything up to an open handoff. */
    private ActorRef<OwnershipCommand> withAnOpenHandoff() {
        ActorRef<OwnershipCommand> ledger = ledger();
        ask(ledger, new ClaimOwnership("a", "host-1", client.getRef()));
        ask(ledger, new BeginHandoff("a", "m-1", "host-1", "host-2", 1, 20_000, client.getRef()));
        return ledger;
    }

    @Test
    void theOneThatWasGivenUpCannotCommitWhatTheOtherHasAborted() {
        ActorRef<OwnershipCommand> old = withAnOpenHandoff();
        ActorRef<OwnershipCommand> successor = ledger();
        assertThat(ask(successor, new AbortHandoff("a", "m-1", 1, "test", client.getRef())))
                .isInstanceOf(OwnershipAccepted.class);
        old.tell(new CommitHandoff("a", "m-1", 1, client.getRef()));
        // it stops without having said anything: whoever asked asks again, and the next one knows
        client.expectTerminated(old);
        client.expectNoMessage();
        assertThat(store.events(ID)).hasSize(3);
        OwnershipReply again = ask(ledger(), new CommitHandoff("a", "m-1", 1, client.getRef()));
        assertThat(again).isInstanceOf(OwnershipRefused.class);
        assertThat(again.view().grants("host-1")).isTrue();
        assertThat(again.view().epoch()).isEqualTo(2);
    }

    @Test
    void theOneThatWasGivenUpCannotAbortWhatTheOtherHasCommitted() {
        ActorRef<OwnershipCommand> old = withAnOpenHandoff();
        ActorRef<OwnershipCommand> successor = ledger();
        assertThat(ask(successor, new CommitHandoff("a", "m-1", 1, client.getRef())))
                .isInstanceOf(OwnershipAccepted.class);
        old.tell(new AbortHandoff("a", "m-1", 1, "test", client.getRef()));
        client.expectTerminated(old);
        client.expectNoMessage();
        OwnershipReply now = ask(ledger(), new QueryOwnership("a", client.getRef()));
        assertThat(now.view().grants("host-2")).isTrue();
        assertThat(now.view().epoch()).isEqualTo(2);
    }

    @Test
    void whatItStillSaysIsOldAndGrantsNobodyAnythingNew() {
        ActorRef<OwnershipCommand> old = withAnOpenHandoff();
        ask(ledger(), new CommitHandoff("a", "m-1", 1, client.getRef()));
        OwnershipReply said = ask(old, new QueryOwnership("a", client.getRef()));
        // an agent takes a grant only with a higher epoch than its copy has: 1
        assertThat(said.view().epoch()).isEqualTo(1);
    }
}
