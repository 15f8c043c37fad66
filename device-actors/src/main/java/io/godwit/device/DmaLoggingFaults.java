package io.godwit.device;

/**
 * Faults of a model device's log of its DMA writes that can be switched on while it works; all off at first. A switch
 * stays on until {@link #clear()}. Safe for any thread.
 */
public final class DmaLoggingFaults {
    private volatile boolean failStart;
    private volatile boolean failReport;
    private volatile boolean shortReport;
    private volatile boolean strayReport;
    private volatile long pageBytes;

    /** Starting to log fails. */
    public void failStart() {
        failStart = true;
    }

    /** Reading the log back fails. */
    public void failReport() {
        failReport = true;
    }

    /** Reading the log back tells of half of what was asked for. */
    public void shortReport() {
        shortReport = true;
    }

    /** Reading the log back tells of a page behind what was asked for. */
    public void strayReport() {
        strayReport = true;
    }

    /** Starting to log grants pages of {@code bytes}, whatever was wanted and whether or not there can be such pages. */
    public void grantPages(long bytes) {
        pageBytes = bytes;
    }

    /** Everything works again. */
    public void clear() {
        failStart = false;
        failReport = false;
        shortReport = false;
        strayReport = false;
        pageBytes = 0;
    }

    boolean failsStart() {
        return failStart;
    }

    boolean failsReport() {
        return failReport;
    }

    boolean shortensReport() {
        return shortReport;
    }

    boolean straysInReport() {
        return strayReport;
    }

    /** The page size to grant, or {@code honest} where none is switched on. */
    long pageBytes(long honest) {
        return pageBytes == 0 ? honest : pageBytes;
    }
}
