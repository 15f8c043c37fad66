package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import java.util.List;

/**
 * Guest pages pinned under one policy. A page may be pinned several times, by another device or at another address; those
 * are remembered, so that letting go of all others costs no look at every pin. Marks are set atomically, all else is
 * guarded by the space's write lock.
 */
final class PinnedPages {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private final DirtyBitmap pages;
    private final DirtyBitmap shared;

    PinnedPages(long count) {
        pages = new DirtyBitmap(count);
        shared = new DirtyBitmap(count);
    }

    /** One bit per page, set while it is pinned. */
    DirtyBitmap pages() {
        return pages;
    }

    void add(List<IovaMapping> pieces) {
        for (IovaMapping piece : pieces) {
            long first = piece.gpa() / PAGE;
            long count = piece.bytes() / PAGE;
            if (pages.any(first, count)) {
                shared.setRange(first, count);
            }
            pages.setRange(first, count);
        }
    }

    /** Takes pins out; false when some of the pages may still be pinned: then clear, and add every pin there is. */
    boolean remove(List<IovaMapping> pieces) {
        boolean exact = true;
        for (IovaMapping piece : pieces) {
            long first = piece.gpa() / PAGE;
            long count = piece.bytes() / PAGE;
            exact &= !shared.any(first, count);
            pages.clearRange(first, count);
        }
        return exact;
    }

    void clear() {
        pages.clear();
        shared.clear();
    }
}
