package io.godwit.bench;

import io.godwit.memory.DirtyBitmap;
import java.util.Random;

/** Which pages of a guest are dirty, as a benchmark lays them out; always the same ones. */
public enum PagePattern {
    /** None. */
    CLEAN(0, 1),
    /** One page in a thousand, each by itself. */
    SCATTERED_0_1(0.001, 1),
    /** One page in a hundred, each by itself. */
    SCATTERED_1(0.01, 1),
    /** One page in ten, each by itself. */
    SCATTERED_10(0.1, 1),
    /** One page in ten, in runs of 512: 2 MiB. */
    RUNS_10(0.1, 512),
    /** All. */
    ALL(1, 1 << 20);

    private final double share;
    private final int run;

    PagePattern(double share, int run) {
        this.share = share;
        this.run = run;
    }

    /** As a table shows it. */
    String title() {
        return switch (this) {
            case CLEAN -> "none";
            case SCATTERED_0_1 -> "0.1 %, scattered";
            case SCATTERED_1 -> "1 %, scattered";
            case SCATTERED_10 -> "10 %, scattered";
            case RUNS_10 -> "10 %, runs of 512";
            case ALL -> "all";
        };
    }

    /** Marks them. */
    void mark(DirtyBitmap pages) {
        if (share == 1) {
            pages.setAll();
            return;
        }
        Random random = new Random(42);
        for (long slot = 0; slot < pages.pages() / run; slot++) {
            if (random.nextDouble() < share) {
                pages.setRange(slot * run, run);
            }
        }
    }
}
