package io.godwit.plan.load;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a parser's tokens into {@link Located} values. */
final class Reading {
    private Reading() {}

    static Located value(String file, JsonParser parser) throws IOException {
        int line = parser.currentTokenLocation().getLineNr();
        @Nullable JsonToken token = parser.currentToken();
        if (token == null) {
            return new Located.Nothing(line);
        }
        return switch (token) {
            case START_OBJECT -> fields(file, parser, line);
            case START_ARRAY -> {
                List<Located> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(file, parser));
                }
                yield new Located.Items(items, line);
            }
            case VALUE_NUMBER_INT -> new Located.Figure(parser.getText(), true, line);
            case VALUE_NUMBER_FLOAT -> new Located.Figure(parser.getText(), false, line);
            case VALUE_TRUE -> new Located.Flag(true, line);
            case VALUE_FALSE -> new Located.Flag(false, line);
            case VALUE_NULL -> new Located.Nothing(line);
            case VALUE_STRING -> new Located.Text(parser.getText(), line);
            case END_OBJECT, END_ARRAY, FIELD_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
                throw InputProblem.line(file, line, "'" + parser.getText() + "'; expected a value");
        };
    }

    private static Located fields(String file, JsonParser parser, int line) throws IOException {
        Map<String, Located> fields = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            int at = parser.currentTokenLocation().getLineNr();
            parser.nextToken();
            if (fields.put(name, value(file, parser)) != null) {
                throw InputProblem.line(file, at, "field '" + name + "' is there twice");
            }
        }
        return new Located.Fields(fields, line);
    }
}
