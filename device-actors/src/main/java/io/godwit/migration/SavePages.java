package io.godwit.migration;

import io.godwit.memory.DirtyBitmap;

/**
 * The pages a save path has still to send: {@code pending} ones, which the sender takes while syncs add to them, and those
 * held back because they are dirty at the stop in any case. A page that is held back leaves {@code pending} only because
 * it is in {@code heldBack}; whatever leaves that comes back to {@code pending}. Pure; confined to one actor, but for the
 * two bitmaps, which setters and takers on the data plane share.
 */
final class SavePages {
    private final DirtyBitmap pending;
    private DirtyBitmap heldBack;
    private DirtyBitmap heldBackBefore;

    /** No page is known to be dirty. */
    SavePages(long pages) {
        pending = new DirtyBitmap(pages);
        heldBack = new DirtyBitmap(pages);
        heldBackBefore = new DirtyBitmap(pages);
    }

    /** The sender takes from it, syncs add to it. */
    DirtyBitmap pending() {
        return pending;
    }

    /** Nothing is sent yet. */
    void allPending() {
        pending.setAll();
    }

    /** A sync begins; it marks what it holds back in the bitmap returned, empty now, until {@link #synced}. */
    DirtyBitmap syncing() {
        DirtyBitmap recycled = heldBackBefore;
        heldBackBefore = heldBack;
        heldBack = recycled;
        heldBack.clear();
        return heldBack;
    }

    /** A sync is complete: a page held back before and not any more must be sent after all. */
    void synced() {
        heldBackBefore.andNot(heldBack);
        pending.or(heldBackBefore);
        pending.andNot(heldBack);
    }

    /** What the last complete sync holds back. */
    DirtyBitmap heldBack() {
        return heldBack;
    }

    /** Lets the sender take up to {@code pages} of those held back, for what their sending tells of the link. */
    void lend(long pages) {
        long page = heldBack.nextSet(0);
        for (long lent = 0; page >= 0 && lent < pages; lent++) {
            pending.set(page);
            page = heldBack.nextSet(page + 1);
        }
    }

    /** Nothing is held back any more, whether the last sync was folded in or not. No sync is under way. */
    void release() {
        pending.or(heldBack);
        pending.or(heldBackBefore);
    }
}
