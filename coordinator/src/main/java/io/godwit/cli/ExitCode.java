package io.godwit.cli;

/** Exit codes of every command. */
public final class ExitCode {
    /** Done. */
    public static final int OK = 0;

    /** The work asked for failed; what and why is on stderr. */
    public static final int FAILED = 1;

    /** Bad usage or bad input. */
    public static final int USAGE = 2;

    /** No coordinator answers. */
    public static final int UNREACHABLE = 3;

    /** Ended by Ctrl-C (128 + SIGINT). */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}
}
