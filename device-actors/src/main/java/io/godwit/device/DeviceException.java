package io.godwit.device;

import java.io.Serial;

/** A device refused a step, or failed: which device, what was asked, where it stands. */
public final class DeviceException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With the reason in one line. */
    public DeviceException(String message) {
        super(message);
    }

    /** With the reason in one line and its cause. */
    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
