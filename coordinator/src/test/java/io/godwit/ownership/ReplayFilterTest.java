package io.godwit.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.snapshot.H2Store;
import java.nio.file.Path;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A journal in which a writer comes back after another one has written: two of them believed in themselves. */
class ReplayFilterTest {
    private static final String ID = "Ownership|a";

    @TempDir
    private Path folder;

    private H2Store store;
    private TestProbe<OwnershipReply> client;

    @AfterEach
    void close() {
        store.close();
    }

    private void open(String overrides) {
        store = new H2Store(folder, overrides);
        client = store.kit.createTestProbe();
    }

    private ActorRef<OwnershipCommand> spawn() {
        return store.kit.spawn(OwnershipEntity.create("a", PersistenceId.ofUniqueId(ID)));
    }

    private long epochOf(ActorRef<OwnershipCommand> ledger) {
        ledger.tell(new QueryOwnership("a", client.getRef()));
        return client.expectMessageClass(OwnershipAccepted.class).view().epoch();
    }

    private void writeThreeEvents() {
        ActorRef<OwnershipCommand> ledger = spawn();
        ledger.tell(new ClaimOwnership("a", "host-1", client.getRef()));
        client.expectMessageClass(OwnershipAccepted.class);
        ledger.tell(new BeginHandoff("a", "m-1", "host-1", "host-2", 1, 20_000, client.getRef()));
        client.expectMessageClass(OwnershipAccepted.class);
        ledger.tell(new AbortHandoff("a", "m-1", 1, "test", client.getRef()));
        client.expectMessageClass(OwnershipAccepted.class);
        store.kit.stop(ledger);
        assertThat(store.events(ID)).hasSize(3);
    }

    private void writtenBy(String writer, long sequence) {
        store.change(
                "UPDATE \"event_journal\" SET \"writer\" = ? WHERE \"persistence_id\" = ? AND \"sequence_number\" = ?",
                writer,
                ID,
                sequence);
    }

    @Test
    void aLedgerWhoseWritersAreInterleavedDoesNotComeUp() {
        open("");
        writeThreeEvents();
        writtenBy("one", 1);
        writtenBy("two", 2);
        writtenBy("one", 3);
        ActorRef<OwnershipCommand> ledger = spawn();
        ledger.tell(new QueryOwnership("a", client.getRef()));
        client.expectTerminated(ledger);
        client.expectNoMessage();
        // one after the other, as restarts have it
        writtenBy("two", 3);
        assertThat(epochOf(spawn())).isEqualTo(2);
    }

    /** Without this, the test above could not tell that it is the setting that does it. */
    @Test
    void thePluginsOwnDefaultWouldLeaveEventsOut() {
        open("jdbc-journal.replay-filter.mode = repair-by-discard-old");
        writeThreeEvents();
        writtenBy("two", 1);
        writtenBy("one", 2);
        writtenBy("two", 3);
        // the abort is forgotten: the handoff would be open again
        assertThat(epochOf(spawn())).isEqualTo(1);
    }
}
