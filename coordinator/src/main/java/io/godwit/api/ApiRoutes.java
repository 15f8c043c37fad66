package io.godwit.api;

import io.godwit.fleet.Coordinator;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.util.ByteString;

/** The table of all routes; the server looks requests up in it, and a test holds the OpenAPI document against it. */
public final class ApiRoutes {
    private final List<Endpoint> endpoints;

    /** What {@link #find} found. */
    public record Found(Endpoint endpoint, Map<String, String> parameters) {}

    /** Routes that ask {@code coordinator}. */
    public ApiRoutes(Coordinator coordinator, JsonCodec json, ApiSettings settings) {
        List<Endpoint> all = new ArrayList<>();
        all.addAll(new FleetEndpoints(coordinator, json, settings.policies()).table());
        all.addAll(new MoveEndpoints(coordinator, json, settings).table());
        all.addAll(new EventEndpoint(coordinator, json, settings).table());
        // answers as soon as the process serves: whether hosts are up is a question for /api/v1/hosts
        all.add(new Endpoint(
                "GET", "/healthz", _ -> CompletableFuture.completedFuture(Answer.ok(Map.of("status", "ok")))));
        ByteString openapi = resource("openapi.yaml");
        all.add(new Endpoint(
                "GET",
                "/openapi.yaml",
                _ -> CompletableFuture.completedFuture(new Answer.Text("text/yaml; charset=UTF-8", openapi))));
        endpoints = List.copyOf(all);
    }

    /** All of them. */
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /**
     * The route of a request.
     *
     * @throws ApiProblem 404 for an unknown path, 405 for a path known with other methods only
     */
    public Found find(String method, List<String> segments) {
        List<String> others = new ArrayList<>();
        for (Endpoint endpoint : endpoints) {
            Optional<Map<String, String>> parameters = endpoint.match(segments);
            if (parameters.isPresent() && endpoint.method().equals(method)) {
                return new Found(endpoint, parameters.get());
            }
            parameters.ifPresent(_ -> others.add(endpoint.method()));
        }
        String path = "/" + String.join("/", segments);
        throw others.isEmpty()
                ? ApiProblem.notFound("no route '" + path + "'; the routes are in /openapi.yaml")
                : ApiProblem.methodNotAllowed(
                        method + " " + path + " is not offered; expected " + String.join(" or ", others));
    }

    private static ByteString resource(String name) {
        try (InputStream in = ApiRoutes.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing from the build");
            }
            return ByteString.fromArrayUnsafe(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
