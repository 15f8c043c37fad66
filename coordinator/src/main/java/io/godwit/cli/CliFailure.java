package io.godwit.cli;

import java.io.Serial;

/** A command ends here: one line for stderr and the exit code. */
public final class CliFailure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private CliFailure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /** The work asked for failed. */
    public static CliFailure failed(String message) {
        return new CliFailure(ExitCode.FAILED, message);
    }

    /** The input was wrong: which, what was given, what is accepted. */
    public static CliFailure usage(String message) {
        return new CliFailure(ExitCode.USAGE, message);
    }

    /** No coordinator answers. */
    public static CliFailure unreachable(String message) {
        return new CliFailure(ExitCode.UNREACHABLE, message);
    }

    /** Ended by Ctrl-C. */
    public static CliFailure interrupted(String message) {
        return new CliFailure(ExitCode.INTERRUPTED, message);
    }

    /** Code for the process to exit with. */
    public int exitCode() {
        return exitCode;
    }
}
