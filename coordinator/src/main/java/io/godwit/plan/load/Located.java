package io.godwit.plan.load;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;

/** A value of a YAML or JSON file and the line on which it stands, counted from 1. */
sealed interface Located {
    /** Where it begins. */
    int line();

    /** An object, with its fields in the order of the file. */
    record Fields(Map<String, Located> fields, int line) implements Located {}

    /** A list. */
    record Items(List<Located> items, int line) implements Located {}

    /** A text. */
    record Text(String text, int line) implements Located {}

    /** A number, as written. */
    record Figure(String digits, boolean whole, int line) implements Located {}

    /** True or false. */
    record Flag(boolean value, int line) implements Located {}

    /** Nothing: {@code null}, or a field without a value. */
    record Nothing(int line) implements Located {}

    /**
     * Reads a file that is JSON when it begins with a brace, else YAML.
     *
     * @throws InputProblem naming the line
     */
    static Located parse(String file, byte[] bytes) {
        try (JsonParser parser = factory(bytes).createParser(bytes)) {
            parser.nextToken();
            return Reading.value(file, parser);
        } catch (JsonProcessingException e) {
            throw InputProblem.unreadable(file, "YAML or JSON", e);
        } catch (IOException e) {
            throw new InputProblem(file + ": " + e.getMessage());
        }
    }

    private static JsonFactory factory(byte[] bytes) {
        for (byte b : bytes) {
            if (!Character.isWhitespace(b)) {
                if (b == '{') {
                    return new JsonFactory();
                }
                break;
            }
        }
        LoaderOptions options = new LoaderOptions();
        // the file's size has been limited already
        options.setCodePointLimit(Integer.MAX_VALUE);
        return YAMLFactory.builder().loaderOptions(options).build();
    }
}
