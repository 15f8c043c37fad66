package io.godwit.stream;

import java.io.IOException;
import java.io.Serial;

/**
 * The stream breaks its own rules: what was wrong, where, and what was expected. An {@link IOException} that is not this
 * one is the channel's failure.
 */
public final class StreamException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With the reason in one line. */
    public StreamException(String message) {
        super(message);
    }

    /** With the reason in one line and its cause. */
    public StreamException(String message, Throwable cause) {
        super(message, cause);
    }
}
