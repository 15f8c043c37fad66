package io.godwit.api;

import io.godwit.fleet.Coordinator;
import io.godwit.fleet.CoordinatorException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves the API over HTTP. */
public final class ApiServer {
    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);

    private final ActorSystem<?> system;
    private final JsonCodec json = new JsonCodec();
    private final ApiSettings settings;
    private final ApiRoutes routes;

    private ApiServer(ActorSystem<?> system, Coordinator coordinator, ApiSettings settings) {
        this.system = system;
        this.settings = settings;
        this.routes = new ApiRoutes(coordinator, json, settings);
    }

    /**
     * Starts serving; it ends with the actor system.
     *
     * @param address to listen on; loopback unless the operator says otherwise, for nothing here asks who calls
     * @param port 0 for a free one: the binding says which
     * @return the binding, or a failure when the port is taken
     */
    public static CompletionStage<ServerBinding> start(
            ActorSystem<?> system, Coordinator coordinator, String address, int port) {
        ApiServer server = new ApiServer(
                system, coordinator, ApiSettings.of(system.settings().config()));
        return Http.get(system)
                .newServerAt(address, port)
                .bind(server::handle)
                .thenApply(binding -> binding.addToCoordinatedShutdown(server.settings.bodyTimeout(), system));
    }

    /** The port of a binding. */
    public static int port(ServerBinding binding) {
        InetSocketAddress address = binding.localAddress();
        return address.getPort();
    }

    private CompletionStage<HttpResponse> handle(HttpRequest request) {
        CompletionStage<Answer> answer;
        try {
            refuseForeignOrigin(request);
            List<String> segments = new ArrayList<>();
            request.getUri().pathSegments().forEach(segments::add);
            ApiRoutes.Found found = routes.find(request.method().value(), segments);
            answer = body(request)
                    .thenCompose(
                            body -> found.endpoint().handler().handle(new Endpoint.Call(found.parameters(), body)));
        } catch (RuntimeException e) {
            request.discardEntityBytes(system);
            answer = CompletableFuture.failedFuture(e);
        }
        return answer.handle((given, failure) -> failure == null ? response(given) : error(request, problem(failure)));
    }

    /** A web page of another site, open in the operator's browser, must not drive the fleet. */
    private static void refuseForeignOrigin(HttpRequest request) {
        Optional<String> origin = request.getHeader("Origin").map(HttpHeader::value);
        String host = request.getHeader("Host").map(HttpHeader::value).orElse("");
        if (origin.isPresent() && !origin.get().replaceFirst("^https?://", "").equals(host)) {
            throw ApiProblem.badRequest("a request from a page of '" + origin.get() + "'; expected one of " + host);
        }
    }

    private CompletionStage<ByteString> body(HttpRequest request) {
        return request.entity()
                .withSizeLimit(settings.bodyBytesMax())
                .toStrict(settings.bodyTimeout().toMillis(), system)
                .thenApply(strict -> {
                    ByteString bytes = strict.getData();
                    ContentType type = request.entity().getContentType();
                    if (!bytes.isEmpty() && !type.mediaType().equals(MediaTypes.APPLICATION_JSON)) {
                        throw ApiProblem.badRequest("a body of " + type + "; expected application/json");
                    }
                    return bytes;
                });
    }

    private HttpResponse response(Answer answer) {
        return switch (answer) {
            case Answer.Json(var status, var view) ->
                HttpResponse.create().withStatus(status).withEntity(ContentTypes.APPLICATION_JSON, json.write(view));
            case Answer.Text(var type, var text) -> HttpResponse.create().withEntity(ContentTypes.parse(type), text);
            case Answer.Events(var frames) ->
                HttpResponse.create()
                        .withEntity(HttpEntities.createChunked(ContentTypes.parse("text/event-stream"), frames));
        };
    }

    private HttpResponse error(HttpRequest request, ApiProblem problem) {
        LOG.debug("{} {}: {} {}", request.method().value(), request.getUri(), problem.status(), problem.getMessage());
        HttpResponse response = HttpResponse.create()
                .withStatus(StatusCodes.get(problem.status()))
                .withEntity(ContentTypes.APPLICATION_JSON, json.write(problem.body()));
        return problem.status() == StatusCodes.SERVICE_UNAVAILABLE.intValue()
                ? response.addHeader(RawHeader.create(
                        "Retry-After", String.valueOf(settings.retryAfter().toSeconds())))
                : response;
    }

    private ApiProblem problem(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return switch (cause) {
            case ApiProblem problem -> problem;
            case CoordinatorException coordinator -> problem(coordinator);
            case EntityStreamSizeException _ ->
                ApiProblem.tooLarge("the body is over " + settings.bodyBytesMax() + " bytes; expected less");
            case TimeoutException _ ->
                ApiProblem.badRequest("the body did not arrive within "
                        + settings.bodyTimeout().toSeconds() + " s");
            default -> {
                // a fault of ours: the operator's line says so, the log says where
                LOG.error("a request failed", cause);
                yield ApiProblem.internal("the coordinator failed on this request; its log says where");
            }
        };
    }

    private static ApiProblem problem(CoordinatorException failure) {
        String message = String.valueOf(failure.getMessage());
        return switch (failure) {
            case CoordinatorException.NotFound _ -> ApiProblem.notFound(message);
            case CoordinatorException.Refused _ -> ApiProblem.refused(message);
            case CoordinatorException.Unavailable _ -> ApiProblem.unavailable(message);
        };
    }
}
