package io.godwit.api;

import io.godwit.fleet.Coordinator;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * {@code GET /api/v1/events}: server-sent events (WHATWG HTML, section 9.2). Each stream looks at the coordinator by
 * itself, at an interval; a slow client is looked after less often, and nothing piles up for it.
 */
final class EventEndpoint {
    private final Coordinator coordinator;
    private final JsonCodec json;
    private final ApiSettings settings;
    private final AtomicInteger open = new AtomicInteger();

    EventEndpoint(Coordinator coordinator, JsonCodec json, ApiSettings settings) {
        this.coordinator = coordinator;
        this.json = json;
        this.settings = settings;
    }

    List<Endpoint> table() {
        return List.of(new Endpoint("GET", "/api/v1/events", _ -> CompletableFuture.completedFuture(subscribe())));
    }

    private Answer subscribe() {
        if (open.incrementAndGet() > settings.eventStreamsMax()) {
            open.decrementAndGet();
            throw ApiProblem.unavailable(settings.eventStreamsMax() + " event streams are open, the most there may be;"
                    + " expected to close one first (godwit.api.event-streams-max)");
        }
        return new Answer.Events(frames());
    }

    private Source<ByteString, NotUsed> frames() {
        return Source.tick(Duration.ZERO, settings.eventsInterval(), NotUsed.getInstance())
                .mapAsync(1, _ -> look())
                .statefulMapConcat(() -> {
                    EventChanges changes = new EventChanges();
                    return look -> look.map(changes::since).orElse(List.of());
                })
                .map(this::frame)
                .keepAlive(settings.eventsKeepAlive(), () -> ByteString.fromString(": still here\n\n"))
                .watchTermination(Keep.right())
                .mapMaterializedValue(done -> {
                    done.whenComplete((_, _) -> open.decrementAndGet());
                    return NotUsed.getInstance();
                });
    }

    /** Empty when the coordinator did not answer: the next tick looks again. */
    private CompletionStage<Optional<EventChanges.Look>> look() {
        return coordinator
                .migrations()
                .thenCombine(coordinator.evacuations(), EventChanges.Look::new)
                .handle((look, _) -> Optional.ofNullable(look));
    }

    private ByteString frame(EventChanges.Event event) {
        // the JSON has no line breaks, so one data line is enough
        return ByteString.fromString("id: " + event.id() + "\nevent: " + event.type() + "\ndata: "
                + new String(json.write(event.view()), StandardCharsets.UTF_8) + "\n\n");
    }
}
