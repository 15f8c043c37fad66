package io.godwit.api;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.util.ByteString;

/**
 * One route of the API.
 *
 * @param method HTTP method
 * @param path template such as {@code /api/v1/vms/{name}}: a part in braces takes any one segment
 * @param handler what answers it
 */
public record Endpoint(String method, String path, Handler handler) {
    /** Answers a call; failures are {@link ApiProblem}s or the coordinator's own exceptions, thrown or in the stage. */
    @FunctionalInterface
    public interface Handler {
        /** Answers. */
        CompletionStage<Answer> handle(Call call);
    }

    /**
     * A request, read.
     *
     * @param parameters values of the template's parts in braces
     * @param body as received, empty for none
     */
    public record Call(Map<String, String> parameters, ByteString body) {
        /** Value of a part in braces that the template has. */
        public String parameter(String name) {
            String value = parameters.get(name);
            if (value == null) {
                throw new IllegalArgumentException("the route has no {" + name + "}");
            }
            return value;
        }
    }

    /** The parameters when {@code segments} fit the template. */
    public Optional<Map<String, String>> match(List<String> segments) {
        String[] parts = path.substring(1).split("/", -1);
        if (parts.length != segments.size()) {
            return Optional.empty();
        }
        Map<String, String> found = new HashMap<>();
        for (int i = 0; i < parts.length; i++) {
            String segment = segments.get(i);
            if (parts[i].startsWith("{")) {
                found.put(parts[i].substring(1, parts[i].length() - 1), segment);
            } else if (!parts[i].equals(segment)) {
                return Optional.empty();
            }
        }
        return Optional.of(found);
    }
}
