package io.godwit.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.fleet.CoordinatorNode;
import io.godwit.fleet.FleetView;
import io.godwit.fleet.NodeOptions;
import io.godwit.plan.Pictures;
import io.godwit.proto.Names;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.CordonHost;
import io.godwit.proto.fleet.FleetCommand.ReportHost;
import io.godwit.proto.fleet.FleetReply;
import io.godwit.proto.fleet.FleetReply.FleetChanged;
import io.godwit.snapshot.SnapshotSettings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole coordinator behind HTTP whose store does not do what it should: the caller is told to ask again, and then is served. */
class RetryLaterTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path data;

    private final HttpClient http = HttpClient.newHttpClient();
    private CoordinatorNode node;
    private int port;

    @BeforeEach
    void start() throws IOException {
        node = CoordinatorNode.start(
                new NodeOptions("127.0.0.1", 0, data, List.of()),
                ConfigFactory.parseString("godwit.coordinator.ask-timeout = 1500 ms"));
        port = ApiServer.port(ApiServer.start(node.system(), node.coordinator(), "127.0.0.1", 0)
                .toCompletableFuture()
                .join());
        ActorRef<FleetCommand> fleet = ClusterSingleton.get(node.system())
                .init(SingletonActor.of(Behaviors.<FleetCommand>empty(), Names.FLEET_VIEW)
                        .withSettings(
                                ClusterSingletonSettings.create(node.system()).withRole(Names.COORDINATOR_ROLE)));
        await().atMost(SOON).until(() -> {
            fleet.tell(new ReportHost(Pictures.inventory("host-1", 1, 100, Map.of(), List.of())));
            return send("GET", "/api/v1/hosts/host-1").statusCode() == 200;
        });
    }

    @AfterEach
    void stop() {
        http.shutdownNow();
        node.close();
    }

    private HttpResponse<String> send(String method, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static void isToldToComeAgain(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isEqualTo(Optional.of("2"));
        assertThat(answer.body()).contains("\"kind\":\"unavailable\"");
    }

    @Test
    void whoAsksACoordinatorWhoseTurnAnotherHasTakenIsToldToComeAgain() throws Exception {
        // another one that believes in itself writes first
        ActorRef<FleetCommand> other = node.system()
                .systemActorOf(
                        FleetView.create(
                                () -> 0,
                                () -> 0,
                                Duration.ofSeconds(3),
                                Duration.ofMinutes(1),
                                new SnapshotSettings(100, 2)),
                        "other-fleet-view",
                        Props.empty());
        other.tell(new ReportHost(Pictures.inventory("host-2", 1, 100, Map.of(), List.of())));
        FleetReply done = AskPattern.<FleetCommand, FleetReply>ask(
                        other,
                        replyTo -> new CordonHost("host-2", true, replyTo),
                        SOON,
                        node.system().scheduler())
                .toCompletableFuture()
                .join();
        assertThat(done).isInstanceOf(FleetChanged.class);
        isToldToComeAgain(send("POST", "/api/v1/hosts/host-1/cordon"));
        await().atMost(SOON).until(() -> send("GET", "/api/v1/hosts/host-2").statusCode() == 200);
        assertThat(send("GET", "/api/v1/hosts/host-2").body())
                .as("it has read what the other wrote")
                .contains("\"cordoned\":true");
    }

    @Test
    void whoAsksWhileTheStoreIsAwayIsToldToComeAgain() throws Exception {
        rename("event_journal", "gone");
        isToldToComeAgain(send("GET", "/api/v1/migrations"));
        isToldToComeAgain(send("POST", "/api/v1/hosts/host-1/cordon"));
        rename("gone", "event_journal");
        assertThat(send("GET", "/api/v1/migrations").statusCode()).isEqualTo(200);
    }

    private void rename(String from, String to) throws SQLException {
        String url =
                "jdbc:h2:file:" + data.toAbsolutePath().resolve("journal") + ";DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0";
        try (Connection connection = DriverManager.getConnection(url, "godwit", "");
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER TABLE \"" + from + "\" RENAME TO \"" + to + "\"");
        }
    }
}
