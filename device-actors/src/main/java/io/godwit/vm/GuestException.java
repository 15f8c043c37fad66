package io.godwit.vm;

import java.io.Serial;

/** A guest could not be made, run, read or restored: what was tried, what was wrong, what was expected. */
public final class GuestException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With the reason in one line. */
    public GuestException(String message) {
        super(message);
    }

    /** With the reason in one line and its cause. */
    public GuestException(String message, Throwable cause) {
        super(message, cause);
    }
}
