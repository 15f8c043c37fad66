package io.godwit.memory;

import java.io.Serial;

/** An IOMMU address space refused something: which space, which I/O virtual address, what was wrong. */
public final class IommuException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** With the reason in one line. */
    public IommuException(String message) {
        super(message);
    }
}
