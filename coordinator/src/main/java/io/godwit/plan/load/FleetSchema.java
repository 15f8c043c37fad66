package io.godwit.plan.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The published JSON Schema of our fleet files, and whether a file keeps to it. Knows as much of JSON Schema as that file uses: a
 * test looks for anything else in it.
 */
public final class FleetSchema {
    private static final String RESOURCE = "/io/godwit/plan/fleet.schema.json";

    private final String file;
    private final JsonNode root;

    private FleetSchema(String file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /** The schema itself, JSON Schema 2020-12. */
    public static String text() {
        try (InputStream in = FleetSchema.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Checks a file's contents.
     *
     * @throws InputProblem naming file, line, field, what is there and what was expected
     */
    static void check(String file, Located contents) {
        try {
            JsonNode root = JsonMapper.builder().build().readTree(text());
            new FleetSchema(file, root).check(root, contents, "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private InputProblem problem(Located at, String field, String what) {
        return InputProblem.line(file, at.line(), (field.isEmpty() ? "" : "field '" + field + "': ") + what);
    }

    private void check(JsonNode schema, Located value, String field) {
        if (schema.has("$ref")) {
            String name = schema.path("$ref").asText().replace("#/$defs/", "");
            check(root.path("$defs").path(name), value, field);
            return;
        }
        if (schema.has("enum")) {
            List<String> accepted = new ArrayList<>();
            schema.path("enum").forEach(each -> accepted.add(each.asText()));
            if (!accepted.contains(shown(value))) {
                throw problem(value, field, "'" + shown(value) + "'; expected " + String.join(" or ", accepted));
            }
            return;
        }
        switch (schema.path("type").asText()) {
            case "object" -> fields(schema, value, field);
            case "array" -> {
                if (!(value instanceof Located.Items(var items, var _))) {
                    throw problem(value, field, "'" + shown(value) + "'; expected a list");
                }
                for (int i = 0; i < items.size(); i++) {
                    check(schema.path("items"), items.get(i), field + "[" + i + "]");
                }
            }
            case "string" -> {
                if (!(value instanceof Located.Text(var text, var _))
                        || text.length() < schema.path("minLength").asInt()) {
                    throw problem(value, field, "'" + shown(value) + "'; expected text");
                }
            }
            case "boolean" -> {
                if (!(value instanceof Located.Flag)) {
                    throw problem(value, field, "'" + shown(value) + "'; expected true or false");
                }
            }
            case "integer" -> number(schema, value, field, true);
            case "number" -> number(schema, value, field, false);
            default -> throw new IllegalStateException("the schema says of '" + field + "': " + schema);
        }
    }

    private void fields(JsonNode schema, Located value, String field) {
        if (!(value instanceof Located.Fields(var fields, var _))) {
            throw problem(value, field, "'" + shown(value) + "'; expected fields with values");
        }
        String prefix = field.isEmpty() ? "" : field + ".";
        for (JsonNode required : schema.path("required")) {
            if (!fields.containsKey(required.asText())) {
                throw problem(value, prefix + required.asText(), "missing");
            }
        }
        for (Map.Entry<String, Located> each : fields.entrySet()) {
            JsonNode known = schema.path("properties").path(each.getKey());
            JsonNode others = schema.path("additionalProperties");
            if (known.isMissingNode() && !others.isObject()) {
                TreeSet<String> names = new TreeSet<>();
                schema.path("properties").fieldNames().forEachRemaining(names::add);
                throw problem(
                        each.getValue(),
                        prefix + each.getKey(),
                        "unknown; expected one of " + String.join(", ", names));
            }
            check(known.isMissingNode() ? others : known, each.getValue(), prefix + each.getKey());
        }
    }

    private void number(JsonNode schema, Located value, String field, boolean whole) {
        String expected = (whole ? "a whole number" : "a number")
                + (schema.has("minimum") ? " from " + schema.path("minimum").asText() : "")
                + (schema.has("maximum") ? " to " + schema.path("maximum").asText() : "");
        if (!(value instanceof Located.Figure figure) || whole && !figure.whole()) {
            throw problem(value, field, "'" + shown(value) + "'; expected " + expected);
        }
        BigDecimal number = Figures.of(figure);
        boolean low =
                schema.has("minimum") && number.compareTo(schema.path("minimum").decimalValue()) < 0;
        boolean high =
                number.compareTo(schema.has("maximum") ? schema.path("maximum").decimalValue() : Figures.MOST) > 0;
        if (low || high) {
            throw problem(value, field, "'" + figure.digits() + "'; expected " + expected);
        }
    }

    private static String shown(Located value) {
        return switch (value) {
            case Located.Text(var text, var _) -> text;
            case Located.Figure(var digits, var _, var _) -> digits;
            case Located.Flag(var flag, var _) -> String.valueOf(flag);
            case Located.Nothing _ -> "nothing";
            case Located.Items _ -> "a list";
            case Located.Fields _ -> "fields";
        };
    }
}
