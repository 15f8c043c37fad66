package io.godwit.plan.load;

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
}
