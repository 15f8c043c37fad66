package io.godwit.agent.qemu;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * One line that a QEMU sends over QMP. What is not known in it is left alone: versions add fields, events and statuses.
 */
public sealed interface QmpMessage {
    /** The first line of a connection. {@code oob}: whether out-of-band commands can be negotiated. */
    record Greeting(QmpVersion version, boolean oob) implements QmpMessage {}

    /** A command was carried out. */
    record Returned(String id, JsonNode value) implements QmpMessage {}

    /**
     * A command was refused.
     *
     * @param id of the command; absent when QEMU could not even read it
     * @param kind error class, such as {@code GenericError}
     * @param description for people; not to be parsed
     */
    record Refused(Optional<String> id, String kind, String description) implements QmpMessage {}

    /**
     * Something happened.
     *
     * @param name such as {@code MIGRATION}
     * @param data its fields; an empty object when it has none
     * @param micros when, in microseconds since 1970 on the QEMU's clock; -1 when QEMU could not tell
     */
    record Event(String name, JsonNode data, long micros) implements QmpMessage {}

    /** A line that is none of these. */
    record Unknown(String line, String why) implements QmpMessage {}

    /** Reads a line; never fails: what is no message is {@link Unknown}. */
    static QmpMessage parse(ObjectMapper json, String line) {
        JsonNode node;
        try {
            node = json.readTree(line);
        } catch (JacksonException e) {
            return new Unknown(line, "not JSON: " + e.getOriginalMessage());
        }
        if (!node.isObject()) {
            return new Unknown(line, "not an object");
        }
        if (node.has("QMP")) {
            return greeting(node.get("QMP"));
        }
        if (node.has("event")) {
            JsonNode data = node.path("data");
            return new Event(
                    node.path("event").asText(),
                    data.isObject() ? data : JsonNodeFactory.instance.objectNode(),
                    micros(node.path("timestamp")));
        }
        if (node.has("error")) {
            JsonNode error = node.get("error");
            return new Refused(
                    node.has("id") ? Optional.of(node.get("id").asText()) : Optional.empty(),
                    error.path("class").asText("GenericError"),
                    error.path("desc").asText("no description"));
        }
        if (node.has("return") && node.has("id")) {
            return new Returned(node.get("id").asText(), node.get("return"));
        }
        return new Unknown(line, "neither greeting, event, return nor error");
    }

    private static Greeting greeting(JsonNode qmp) {
        JsonNode version = qmp.path("version");
        JsonNode numbers = version.path("qemu");
        boolean oob = false;
        for (JsonNode capability : qmp.path("capabilities")) {
            oob |= capability.asText().equals("oob");
        }
        return new Greeting(
                new QmpVersion(
                        numbers.path("major").asInt(),
                        numbers.path("minor").asInt(),
                        numbers.path("micro").asInt(),
                        version.path("package").asText("")),
                oob);
    }

    private static long micros(JsonNode timestamp) {
        long seconds = timestamp.path("seconds").asLong(-1);
        return seconds < 0
                ? -1
                : seconds * 1_000_000 + timestamp.path("microseconds").asLong();
    }

    /** The line of a command; {@code oob}: to be carried out at once, past whatever holds up the main loop. */
    static String line(String id, String command, ObjectNode arguments, boolean oob) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put(oob ? "exec-oob" : "execute", command);
        if (!arguments.isEmpty()) {
            node.set("arguments", arguments);
        }
        node.put("id", id);
        return node.toString();
    }
}
