package io.godwit.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.api.JsonCodec;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator's HTTP API as the commands use it. An error answer becomes a {@link CliFailure}: 3 when nobody answers,
 * 2 when the input was wrong (400, 404, 413), 1 for the rest.
 */
public final class ApiClient {
    private final HttpClient http;
    private final List<URI> bases;
    private volatile URI base;
    private final Duration timeout;
    private final ObjectMapper mapper = JsonCodec.lenient();

    /**
     * A client of the coordinator at {@code url}, or of whichever answers of several, divided by commas.
     *
     * @throws CliFailure when one is not an HTTP address
     */
    public ApiClient(HttpClient http, String url, Duration timeout) {
        this.http = http;
        this.timeout = timeout;
        this.bases = Arrays.stream(url.split(",", -1))
                .map(one -> address(one.strip()))
                .toList();
        this.base = bases.getFirst();
    }

    private static URI address(String url) {
        try {
            URI uri = URI.create(url);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return URI.create(url.endsWith("/") ? url : url + "/");
            }
        } catch (IllegalArgumentException e) {
            // said below, in the same words
        }
        throw CliFailure.usage("--coordinator '" + url + "'; expected an address such as http://127.0.0.1:8400");
    }

    /** Address of the coordinator that answered last. */
    public String url() {
        return base.toString();
    }

    /** A path of the API from segments, each encoded: {@code path("vms", name)}. */
    public static String path(String... segments) {
        StringBuilder path = new StringBuilder("api/v1");
        for (String segment : segments) {
            path.append('/')
                    .append(URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20"));
        }
        return path.toString();
    }

    /** GET. */
    public JsonNode get(String path) {
        return send("GET", path, null);
    }

    /** POST; {@code body} null for none. */
    public JsonNode post(String path, @Nullable Object body) {
        return send("POST", path, body);
    }

    /** PATCH. */
    public JsonNode patch(String path, Object body) {
        return send("PATCH", path, body);
    }

    /** DELETE. */
    public JsonNode delete(String path) {
        return send("DELETE", path, null);
    }

    /**
     * Reads a view out of an answer.
     *
     * @throws CliFailure when the coordinator's answer is not of this shape
     */
    public <T> T view(JsonNode node, Class<T> type) {
        try {
            return mapper.treeToValue(node, type);
        } catch (JsonProcessingException e) {
            throw CliFailure.failed("the answer of " + base + " is not a " + type.getSimpleName()
                    + "; expected a coordinator of this version (" + e.getOriginalMessage() + ")");
        }
    }

    /**
     * Of the coordinator that answered last first. The next one is asked when one cannot be reached at all, and for a plain
     * question also when it breaks off; what may have been done is not asked for twice.
     */
    private JsonNode send(String method, String path, @Nullable Object body) {
        List<URI> order = new ArrayList<>(bases);
        order.remove(base);
        order.addFirst(base);
        List<String> silent = new ArrayList<>();
        for (URI one : order) {
            try {
                JsonNode answer = send(one, method, path, body);
                base = one;
                return answer;
            } catch (JacksonException e) {
                throw CliFailure.failed(one + " does not answer in JSON; expected a Godwit coordinator");
            } catch (IOException e) {
                silent.add(one + " (" + why(e) + ")");
                if (!method.equals("GET") && !unheard(e)) {
                    break;
                }
            }
        }
        throw CliFailure.unreachable("no coordinator answers at " + String.join(", ", silent)
                + "; expected one started with 'godwit coordinator', or its address with --coordinator");
    }

    private JsonNode send(URI to, String method, String path, @Nullable Object body) throws IOException {
        try {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(to.resolve(path)).timeout(timeout);
            if (body == null) {
                request.method(method, HttpRequest.BodyPublishers.noBody());
            } else {
                request.header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofByteArray(mapper.writeValueAsBytes(body)));
            }
            HttpResponse<byte[]> response = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            JsonNode answer = mapper.readTree(response.body());
            if (response.statusCode() / 100 == 2) {
                return answer;
            }
            throw failure(response.statusCode(), answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CliFailure.interrupted("interrupted while waiting for " + to);
        }
    }

    /** Whether the request certainly reached nobody. */
    private static boolean unheard(IOException e) {
        return e instanceof ConnectException || e instanceof HttpConnectTimeoutException;
    }

    /** The client leaves the message of the commonest two out. */
    private static String why(IOException e) {
        if (e.getMessage() != null) {
            return e.getMessage();
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return "unknown host";
            }
        }
        return e instanceof ConnectException
                ? "connection refused"
                : e.getClass().getSimpleName();
    }

    private static CliFailure failure(int status, JsonNode answer) {
        String message = answer.path("error").path("message").asText("HTTP status " + status);
        return switch (status) {
            case 400, 404, 413 -> CliFailure.usage(message);
            default -> CliFailure.failed(message);
        };
    }
}
