package io.godwit.plan.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.Serial;

/** An input file that cannot be used: one line with the file, the place in it, what is wrong and what was expected. */
public final class InputProblem extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With a whole message. */
    public InputProblem(String message) {
        super(message);
    }

    /** Something wrong with a field of a file. */
    public static InputProblem field(String file, String field, String problem) {
        return new InputProblem(file + ": field '" + field + "': " + problem);
    }

    /** Something wrong with a line of a file, counted from 1. */
    public static InputProblem line(String file, int line, String problem) {
        return new InputProblem(file + ":" + line + ": " + problem);
    }

    /** A file that is not {@code expected}, such as {@code JSON}: in which line, and what the parser has against it. */
    static InputProblem unreadable(String file, String expected, JsonProcessingException why) {
        int line = why.getLocation() == null ? 1 : why.getLocation().getLineNr();
        // the parser names its source, which is always the same: the file
        String said = why.getOriginalMessage().lines().findFirst().orElse("").replaceAll("\\[Source: [^;\\]]*; ", "[");
        return line(file, line, "not " + expected + ": " + said);
    }
}
