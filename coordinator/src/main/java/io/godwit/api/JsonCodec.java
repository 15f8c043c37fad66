package io.godwit.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.pekko.util.ByteString;

/**
 * JSON of the API. What comes in is read strictly: an unknown field, a wrong type, a doubled field or anything after the
 * end is refused, and the message names the field and what was expected. What goes out leaves absent values away.
 */
public final class JsonCodec {
    /** What no body means: no field said. */
    private static final byte[] EMPTY = {'{', '}'};

    private final ObjectMapper strict;

    /** A codec; safe for any number of threads. */
    public JsonCodec() {
        JsonMapper.Builder builder = JsonMapper.builder()
                .addModule(new Jdk8Module())
                .defaultPropertyInclusion(
                        JsonInclude.Value.construct(JsonInclude.Include.NON_ABSENT, JsonInclude.Include.NON_ABSENT))
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
        builder.withCoercionConfig(
                LogicalType.Textual,
                config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail));
        strict = builder.build();
    }

    /** A mapper that ignores fields it does not know: for a client of a coordinator that may be newer. */
    public static ObjectMapper lenient() {
        return JsonMapper.builder()
                .addModule(new Jdk8Module())
                .defaultPropertyInclusion(
                        JsonInclude.Value.construct(JsonInclude.Include.NON_ABSENT, JsonInclude.Include.NON_ABSENT))
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }

    /** Writes a view. */
    public byte[] write(Object view) {
        try {
            return strict.writeValueAsBytes(view);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("no JSON for " + view.getClass().getName(), e);
        }
    }

    /**
     * Reads a body.
     *
     * @throws ApiProblem 400, naming the field, what was wrong and what was expected
     */
    public <T> T read(ByteString body, Class<T> type) {
        try {
            T value = strict.readValue(body.isEmpty() ? EMPTY : body.toArrayUnsafe(), type);
            if (value == null) {
                throw ApiProblem.badRequest("the body is null; expected a JSON object");
            }
            return value;
        } catch (UnrecognizedPropertyException e) {
            Collection<Object> known = e.getKnownPropertyIds();
            throw ApiProblem.badRequest("unknown field '" + path(e) + "'; expected "
                    + new TreeSet<>(known == null ? List.of() : known)
                            .stream().map(String::valueOf).collect(Collectors.joining(", ")));
        } catch (MismatchedInputException e) {
            String where = e.getPath().isEmpty() ? "the body" : "field '" + path(e) + "'";
            Class<?> target = e.getTargetType();
            throw ApiProblem.badRequest(where + " has the wrong type; expected " + expected(target));
        } catch (JsonMappingException e) {
            throw ApiProblem.badRequest("field '" + path(e) + "': " + e.getOriginalMessage());
        } catch (JacksonException e) {
            throw ApiProblem.badRequest("the body is not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new IllegalStateException("reading from memory failed", e);
        }
    }

    private static String path(JsonMappingException e) {
        StringBuilder path = new StringBuilder();
        for (JsonMappingException.Reference step : e.getPath()) {
            if (step.getFieldName() == null) {
                path.append('[').append(step.getIndex()).append(']');
            } else {
                path.append(path.isEmpty() ? "" : ".").append(step.getFieldName());
            }
        }
        return path.toString();
    }

    private static String expected(Class<?> type) {
        if (type == null || type.isRecord()) {
            return "a JSON object";
        }
        if (type == Long.class || type == long.class || type == Integer.class || type == int.class) {
            return "a whole number";
        }
        if (type == Boolean.class || type == boolean.class) {
            return "true or false";
        }
        if (Collection.class.isAssignableFrom(type)) {
            return "an array";
        }
        return type == String.class ? "a string" : "a " + type.getSimpleName();
    }
}
