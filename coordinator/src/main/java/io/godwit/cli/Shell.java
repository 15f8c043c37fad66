package io.godwit.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.godwit.api.JsonCodec;
import java.net.http.HttpClient;
import java.util.function.Supplier;
import picocli.CommandLine;

/** What every command shares: the surroundings, the global options, and how results are printed. */
public final class Shell {
    private final Surroundings surroundings;
    private String coordinator = "";
    private OutputFormat output = OutputFormat.TABLE;

    /** A shell in {@code surroundings}. */
    public Shell(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    void coordinator(String url) {
        coordinator = url;
    }

    void output(OutputFormat format) {
        output = format;
    }

    /** What is around. */
    public Surroundings surroundings() {
        return surroundings;
    }

    /** Format asked for. */
    public OutputFormat output() {
        return output;
    }

    /** A client of the coordinator asked for. */
    public ApiClient client() {
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(surroundings.settings().connectTimeout())
                .build();
        return new ApiClient(http, coordinator, surroundings.settings().requestTimeout());
    }

    /** Prints a result: the view as it came, or the table made from it. */
    public void print(JsonNode view, Supplier<String> table) {
        surroundings
                .out()
                .print(
                        switch (output) {
                            case TABLE -> table.get();
                            case JSON -> json(view);
                            case YAML -> yaml(view);
                        });
        surroundings.out().flush();
    }

    /** One line about what is going on, for people, on stderr. */
    public void say(String line) {
        surroundings.err().println(line);
        surroundings.err().flush();
    }

    private static String json(JsonNode view) {
        try {
            return JsonCodec.lenient()
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .writeValueAsString(view) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree without JSON", e);
        }
    }

    private static String yaml(JsonNode view) {
        ObjectMapper mapper = YAMLMapper.builder()
                .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                .build();
        try {
            return mapper.writeValueAsString(view);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree without YAML", e);
        }
    }

    /** Makes commands: those with a constructor that takes a shell get this one. */
    public CommandLine.IFactory factory() {
        CommandLine.IFactory plain = CommandLine.defaultFactory();
        return new CommandLine.IFactory() {
            @Override
            public <K> K create(Class<K> type) throws Exception {
                for (var constructor : type.getDeclaredConstructors()) {
                    if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Shell.class) {
                        constructor.setAccessible(true);
                        return type.cast(constructor.newInstance(Shell.this));
                    }
                }
                return plain.create(type);
            }
        };
    }
}
