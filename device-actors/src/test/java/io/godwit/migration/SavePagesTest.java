package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.DirtyBitmap;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SavePagesTest {
    private static final int PAGES = 200;

    /**
     * A model of the whole: pages differ from the destination's copy when written, and agree when sent. Devices write
     * their pinned pages unseen; a page that is let go is reported dirty once. Whatever differs at the stop must be known.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void noPageThatDiffersIsLostBetweenHeldBackAndPending(long seed) {
        Random random = new Random(seed);
        SavePages pages = new SavePages(PAGES);
        BitSet differs = new BitSet();
        BitSet written = new BitSet();
        BitSet pinned = new BitSet();
        differs.set(0, PAGES);
        pages.allPending();
        boolean syncing = false;
        for (int step = 0; step < 2000; step++) {
            int page = random.nextInt(PAGES);
            switch (random.nextInt(6)) {
                case 0 -> {
                    written.set(page);
                    differs.set(page);
                }
                case 1 -> pinned.set(page);
                case 2 -> {
                    if (pinned.get(page)) {
                        pinned.clear(page);
                        written.set(page);
                    }
                }
                case 3 -> {
                    if (pages.pending().takeRun(page, 1) == 1) {
                        differs.clear(page);
                    }
                }
                case 4 -> {
                    if (!syncing) {
                        DirtyBitmap heldBack = pages.syncing();
                        assertThat(heldBack.count()).isZero();
                        drain(written, pages.pending());
                        pinned.stream().forEach(heldBack::set);
                        syncing = true;
                    } else {
                        pages.synced();
                        syncing = false;
                    }
                }
                default -> differs.or(pinned);
            }
        }
        pages.release();
        drain(written, pages.pending());
        pinned.stream().forEach(pages.pending()::set);
        differs.stream()
                .forEach(page -> assertThat(pages.pending().get(page))
                        .as("page %d, seed %d", page, seed)
                        .isTrue());
    }

    private static void drain(BitSet from, DirtyBitmap into) {
        from.stream().forEach(into::set);
        from.clear();
    }
}
