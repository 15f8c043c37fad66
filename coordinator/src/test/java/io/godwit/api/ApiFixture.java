package io.godwit.api;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** The API over a fake coordinator, served on a free loopback port. */
public final class ApiFixture implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /** What it asks. */
    public final FakeCoordinator coordinator = new FakeCoordinator();

    /** Talks to it. */
    public final HttpClient http = HttpClient.newHttpClient();

    private final ActorSystem<Void> system;
    private final int port;

    /** Serves. */
    public ApiFixture() {
        system = ActorSystem.create(
                Behaviors.empty(),
                "api-test",
                ConfigFactory.parseString("pekko.actor.provider = local\npekko.loglevel = WARNING\n"
                                + "godwit.api.events-interval = 20 ms\ngodwit.api.event-streams-max = 1")
                        .withFallback(ConfigFactory.load()));
        try {
            port = ApiServer.port(ApiServer.start(system, coordinator, "127.0.0.1", 0)
                    .toCompletableFuture()
                    .get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        } catch (Exception e) {
            system.terminate();
            throw new IllegalStateException("the API did not start", e);
        }
    }

    /** Its address. */
    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /** A request to {@code path}. */
    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url() + path)).timeout(LIMIT);
    }

    /** Sends a request with a JSON body (empty for none). */
    public HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path)
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body));
        if (!body.isEmpty()) {
            request.header("Content-Type", "application/json");
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Override
    public void close() {
        http.shutdownNow();
        system.terminate();
        system.getWhenTerminated()
                .toCompletableFuture()
                .orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS)
                .join();
    }
}
