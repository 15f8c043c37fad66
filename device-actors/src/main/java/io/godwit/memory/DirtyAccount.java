package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import java.util.List;

/**
 * What of guest memory the devices of one {@link IommuSpace} have pinned, let go and written, by policy; the space's lock
 * guards it. {@link #wrote} and {@link #report} need its read lock only: marks are set and taken atomically.
 */
final class DirtyAccount {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private final DirtyBitmap persistent;
    private final DirtyBitmap stopCopyOnly;
    private final DirtyBitmap written;
    private final DirtyBitmap released;
    private boolean tracking;

    DirtyAccount(long pages) {
        persistent = new DirtyBitmap(pages);
        stopCopyOnly = new DirtyBitmap(pages);
        written = new DirtyBitmap(pages);
        released = new DirtyBitmap(pages);
    }

    /** Turns tracking on or off, and forgets what was written or let go before. */
    void tracking(boolean on) {
        tracking = on;
        written.clear();
        released.clear();
    }

    boolean tracking() {
        return tracking;
    }

    void pinned(ReportingPolicy policy, List<IovaMapping> pieces) {
        switch (policy) {
            case PERSISTENT -> mark(persistent, pieces);
            case STOP_COPY_ONLY -> mark(stopCopyOnly, pieces);
            // its pins say nothing: the hardware does
            case HARDWARE_TRACKED -> {}
        }
    }

    /**
     * Pages let go, of which nobody can say whether they were written, are dirty once. Afterwards the caller reports as
     * pinned whatever is still pinned under {@code policy}: another device, or another address, may pin the same page.
     */
    void letGo(ReportingPolicy policy, List<IovaMapping> pieces) {
        switch (policy) {
            case PERSISTENT -> persistent.clear();
            case STOP_COPY_ONLY -> stopCopyOnly.clear();
            case HARDWARE_TRACKED -> {}
        }
        if (tracking && policy != ReportingPolicy.HARDWARE_TRACKED) {
            mark(released, pieces);
        }
    }

    /** To be called after the store: whoever takes the mark from here on reads what was written. */
    void wrote(ReportingPolicy policy, IovaMapping piece) {
        if (tracking && policy == ReportingPolicy.HARDWARE_TRACKED) {
            written.setRange(piece.gpa() / PAGE, piece.bytes() / PAGE);
        }
    }

    /** As {@link IommuSpace#report}. */
    DirtyReport report(boolean stopped, DirtyBitmap dirty, DirtyBitmap heldBack) {
        boolean trustworthy = stopCopyOnly.nextSet(0) < 0;
        heldBack.andNot(released);
        long dma = released.drainInto(dirty) + written.drainInto(dirty);
        if (!stopped) {
            heldBack.or(persistent);
            return new DirtyReport(persistent.count(), dma, trustworthy);
        }
        dirty.or(persistent);
        dirty.or(stopCopyOnly);
        heldBack.andNot(persistent);
        return new DirtyReport(persistent.count() + stopCopyOnly.count(), dma, trustworthy);
    }

    private static void mark(DirtyBitmap bitmap, List<IovaMapping> pieces) {
        for (IovaMapping piece : pieces) {
            bitmap.setRange(piece.gpa() / PAGE, piece.bytes() / PAGE);
        }
    }
}
