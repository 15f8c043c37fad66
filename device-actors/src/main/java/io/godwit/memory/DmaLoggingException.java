package io.godwit.memory;

import java.io.Serial;

/** A device's log of its DMA writes cannot be had, or not be trusted: why. */
public final class DmaLoggingException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With the reason in one line. */
    public DmaLoggingException(String message) {
        super(message);
    }
}
