package io.godwit.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who deletes events behind snapshots, as sharding does with the entities it remembers, must not go on without one. */
class ShardingStoreTest {
    private static final String ID = "remembered";

    @TempDir
    private Path folder;

    private H2Store store;
    private TestProbe<String> client;

    @BeforeEach
    void open() {
        store = new H2Store(folder, "");
        client = store.kit.createTestProbe();
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ActorRef<String> spawn() {
        String plugin = store.kit.system().settings().config().getString("pekko.cluster.sharding.snapshot-plugin-id");
        return store.kit.spawn(Remembering.create(plugin, client.getRef()));
    }

    @Test
    void aShardWithoutItsSnapshotDoesNotForgetWhatItRemembered() {
        ActorRef<String> shard = spawn();
        shard.tell("a");
        shard.tell("b");
        client.expectMessage("a");
        client.expectMessage("a, b");
        assertThat(store.snapshots(ID)).containsExactly(2L);
        store.deleteEventsBeforeSnapshot(ID);
        store.kit.stop(shard);
        ActorRef<String> again = spawn();
        again.tell("c");
        client.expectMessage("a, b, c");
        store.kit.stop(again);
        Damage.SERIALIZER.to(store, ID);
        ActorRef<String> without = spawn();
        without.tell("d");
        client.expectTerminated(without);
        client.expectNoMessage();
    }

    /** Joins what it is told. */
    private static final class Remembering extends EventSourcedBehavior<String, String, String> {
        private final String plugin;
        private final ActorRef<String> observer;

        private Remembering(String plugin, ActorRef<String> observer) {
            super(PersistenceId.ofUniqueId(ID));
            this.plugin = plugin;
            this.observer = observer;
        }

        static Behavior<String> create(String plugin, ActorRef<String> observer) {
            return Behaviors.setup(_ -> new Remembering(plugin, observer));
        }

        @Override
        public String snapshotPluginId() {
            return plugin;
        }

        @Override
        public RetentionCriteria retentionCriteria() {
            return RetentionCriteria.snapshotEvery(2, 2);
        }

        @Override
        public String emptyState() {
            return "";
        }

        @Override
        public CommandHandler<String, String, String> commandHandler() {
            return (_, command) -> Effect().persist(command).thenRun(observer::tell);
        }

        @Override
        public EventHandler<String, String> eventHandler() {
            return (state, event) -> state.isEmpty() ? event : state + ", " + event;
        }
    }
}
