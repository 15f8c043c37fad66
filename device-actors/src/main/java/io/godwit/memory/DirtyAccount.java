package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * What of guest memory the devices of one {@link IommuSpace} have pinned, let go and written, by policy; the space's lock
 * guards it. {@link #written} and {@link #report} need its read lock only: marks are set and taken atomically.
 */
final class DirtyAccount {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private final PinnedPages persistent;
    private final PinnedPages stopCopyOnly;
    private final DirtyBitmap next;
    private boolean tracking;

    DirtyAccount(long pages) {
        persistent = new PinnedPages(pages);
        stopCopyOnly = new PinnedPages(pages);
        next = new DirtyBitmap(pages);
    }

    /** Turns tracking on or off, and forgets what was written or let go before. */
    void tracking(boolean on) {
        tracking = on;
        next.clear();
    }

    boolean tracking() {
        return tracking;
    }

    /** Takes marks of pages to report at the next sync. */
    DirtyBitmap written() {
        return next;
    }

    void pinned(ReportingPolicy policy, List<IovaMapping> pieces) {
        switch (policy) {
            case PERSISTENT -> persistent.add(pieces);
            case STOP_COPY_ONLY -> stopCopyOnly.add(pieces);
            // its pins say nothing: the device's log does
            case HARDWARE_TRACKED -> {}
        }
    }

    /**
     * Pages let go, of which nobody can say whether they were written, are dirty once.
     *
     * @return false when the caller must {@link #forgetPins} and report as pinned whatever still is
     */
    boolean letGo(ReportingPolicy policy, List<IovaMapping> pieces) {
        if (policy != ReportingPolicy.HARDWARE_TRACKED) {
            wrote(pieces);
        }
        return switch (policy) {
            case PERSISTENT -> persistent.remove(pieces);
            case STOP_COPY_ONLY -> stopCopyOnly.remove(pieces);
            case HARDWARE_TRACKED -> true;
        };
    }

    /** Pages that are dirty at the next report, if tracking is on. */
    void wrote(List<IovaMapping> pieces) {
        if (tracking) {
            for (IovaMapping piece : pieces) {
                next.setRange(piece.gpa() / PAGE, piece.bytes() / PAGE);
            }
        }
    }

    /** No page counts as pinned under any policy. */
    void forgetPins() {
        persistent.clear();
        stopCopyOnly.clear();
    }

    /** What of {@code pieces} is dirty at the next report, in runs. */
    List<IovaMapping> dirty(List<IovaMapping> pieces) {
        List<IovaMapping> runs = new ArrayList<>();
        for (IovaMapping piece : pieces) {
            long end = (piece.gpa() + piece.bytes()) / PAGE;
            long page = next.nextSet(piece.gpa() / PAGE);
            while (page >= 0 && page < end) {
                long last = page + 1;
                while (last < end && next.get(last)) {
                    last++;
                }
                long gpa = page * PAGE;
                runs.add(new IovaMapping(piece.iova() + gpa - piece.gpa(), gpa, (last - page) * PAGE));
                page = next.nextSet(last);
            }
        }
        return runs;
    }

    /** As {@link IommuSpace#report}. */
    DirtyReport report(boolean stopped, DirtyBitmap dirty, DirtyBitmap heldBack, List<String> warnings) {
        boolean trustworthy = stopCopyOnly.pages().nextSet(0) < 0;
        heldBack.andNot(next);
        // pinned anew meanwhile, as by a vIOMMU: it is known to be dirty at the stop, so not to be sent before
        next.andNot(persistent.pages());
        long dma = next.drainInto(dirty);
        long pinned = persistent.pages().count();
        if (!stopped) {
            heldBack.or(persistent.pages());
            return new DirtyReport(pinned, dma, trustworthy, warnings);
        }
        dirty.or(persistent.pages());
        dirty.or(stopCopyOnly.pages());
        heldBack.andNot(persistent.pages());
        return new DirtyReport(pinned + stopCopyOnly.pages().count(), dma, trustworthy, warnings);
    }
}
