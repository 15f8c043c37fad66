package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.ownership.OwnershipEntity;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Coordinators that share a PostgreSQL: a real one. */
class SharedStoreTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    private int port;
    private EmbeddedPostgres postgres;
    private final List<ActorTestKit> kits = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        open();
    }

    private void open() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(folder.resolve("store"))
                .setCleanDataDirectory(false)
                .start();
    }

    @AfterEach
    void stop() throws IOException {
        kits.forEach(ActorTestKit::shutdownTestKit);
        postgres.close();
    }

    private Config config() {
        return ConfigFactory.parseString(
                "godwit.coordinator.store { user = postgres, url = \"jdbc:postgresql://127.0.0.1:" + port
                        + "/postgres\" }");
    }

    private Store store() throws IOException {
        return Store.of(ConfigFactory.load(config()), folder, 3);
    }

    private synchronized ActorTestKit kit() throws IOException {
        ActorTestKit kit = ActorTestKit.create(
                "shared-" + kits.size(),
                ConfigFactory.load(config().withFallback(ConfigFactory.parseString("pekko.actor.provider = local"))
                        .withFallback(store().settings())
                        .withFallback(ConfigFactory.parseResources("godwit-coordinator.conf"))));
        kits.add(kit);
        return kit;
    }

    private ActorTestKit prepared() throws IOException {
        ActorTestKit kit = kit();
        store().prepare(kit.system(), LIMIT);
        return kit;
    }

    private static ActorRef<OwnershipCommand> ledger(ActorTestKit kit) {
        return kit.spawn(OwnershipEntity.create("a", PersistenceId.ofUniqueId("Ownership|a")));
    }

    private static OwnershipReply claim(ActorTestKit kit) {
        TestProbe<OwnershipReply> client = kit.createTestProbe();
        ledger(kit).tell(new ClaimOwnership("a", "host-1", client.getRef()));
        return client.receiveMessage(Duration.ofSeconds(20));
    }

    @Test
    void threeThatStartAtTheSameTimeMakeTheTablesOnceAndOneWriterWins() throws IOException {
        try (ExecutorService together = Executors.newFixedThreadPool(3)) {
            List<CompletableFuture<Void>> starts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                starts.add(CompletableFuture.runAsync(
                        () -> {
                            try {
                                prepared();
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        },
                        together));
            }
            starts.forEach(CompletableFuture::join);
        }
        assertThat(claim(kits.getFirst())).isInstanceOf(OwnershipAccepted.class);

        TestProbe<OwnershipReply> here = kits.get(0).createTestProbe();
        TestProbe<OwnershipReply> there = kits.get(1).createTestProbe();
        ActorRef<OwnershipCommand> old = ledger(kits.get(0));
        old.tell(new BeginHandoff("a", "m-1", "host-1", "host-2", 1, 20_000, here.getRef()));
        here.expectMessageClass(OwnershipAccepted.class);
        ActorRef<OwnershipCommand> successor = ledger(kits.get(1));
        successor.tell(new AbortHandoff("a", "m-1", 1, "test", there.getRef()));
        there.expectMessageClass(OwnershipAccepted.class);
        old.tell(new CommitHandoff("a", "m-1", 1, here.getRef()));
        here.expectTerminated(old);
        here.expectNoMessage();
        ledger(kits.get(0)).tell(new CommitHandoff("a", "m-1", 1, here.getRef()));
        here.expectMessageClass(OwnershipRefused.class);
    }

    @Test
    void aStoreThatIsAwayIsNamedAndAllGoesOnWhenItIsBack() throws IOException {
        ActorTestKit kit = prepared();
        postgres.close();
        TestProbe<OwnershipReply> client = kit.createTestProbe();
        ActorRef<OwnershipCommand> ledger = ledger(kit);
        ledger.tell(new ClaimOwnership("a", "host-1", client.getRef()));
        client.expectTerminated(ledger, Duration.ofSeconds(30));
        client.expectNoMessage();
        Store away = store();
        assertThatThrownBy(() -> away.prepare(kit.system(), LIMIT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("jdbc:postgresql://127.0.0.1:" + port + "/postgres cannot be used")
                .hasMessageContaining("refused");
        open();
        assertThat(claim(kit)).isInstanceOf(OwnershipAccepted.class);
    }

    @Test
    void severalCoordinatorsWithoutASharedStoreAreRefusedWithTheOptionThatIsMissing() {
        assertThatThrownBy(() -> Store.of(ConfigFactory.load(), folder, 3))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("--store jdbc:postgresql://");
    }
}
