package io.godwit.migration;

import java.util.Arrays;

/**
 * How many different pages are dirtied in a given time, from what the last syncs found. A page written again and again is
 * found once a sync, so short times tell more pages a second than long ones: the syncs whose time came closest to the one
 * asked for are scaled to it, and their median is taken, so that a burst between two syncs does not pass for the rule. Pure;
 * for one thread.
 */
final class DirtyRate {
    private static final int SAMPLES = 16;
    private static final int NEAREST = 5;
    private static final double SECOND = 1e9;

    private final long[] pages = new long[SAMPLES];
    private final long[] nanos = new long[SAMPLES];
    private int count;
    private int next;

    /** A sync found {@code found} pages dirtied in the {@code elapsed} nanoseconds since the sync before. */
    void add(long found, long elapsed) {
        if (elapsed > 0) {
            pages[next] = found;
            nanos[next] = elapsed;
            next = (next + 1) % SAMPLES;
            count = Math.min(count + 1, SAMPLES);
        }
    }

    /** Pages that will be dirtied in the next {@code ahead} nanoseconds, each counted once; 0 while nothing is known. */
    double pagesIn(long ahead) {
        if (count == 0 || ahead <= 0) {
            return 0;
        }
        boolean[] taken = new boolean[count];
        double[] scaled = new double[Math.min(NEAREST, count)];
        for (int i = 0; i < scaled.length; i++) {
            int nearest = nearest(ahead, taken);
            taken[nearest] = true;
            scaled[i] = scaled(nearest, ahead);
        }
        Arrays.sort(scaled);
        return scaled[scaled.length / 2];
    }

    /** The same of a second. */
    long perSecond() {
        return (long) pagesIn((long) SECOND);
    }

    private int nearest(long ahead, boolean[] taken) {
        int best = -1;
        for (int i = 0; i < count; i++) {
            if (!taken[i] && (best < 0 || distance(nanos[i], ahead) < distance(nanos[best], ahead))) {
                best = i;
            }
        }
        return best;
    }

    private static double distance(long a, long b) {
        return Math.abs(Math.log((double) a / b));
    }

    /** A longer time dirties in proportion at most, and not more than a longer sync has found. */
    private double scaled(int sample, long ahead) {
        double inProportion = pages[sample] * ((double) ahead / nanos[sample]);
        double most = inProportion;
        if (nanos[sample] < ahead) {
            for (int i = 0; i < count; i++) {
                if (nanos[i] >= ahead) {
                    most = Math.min(most, (double) Math.max(pages[i], pages[sample]));
                }
            }
        }
        return most;
    }
}
