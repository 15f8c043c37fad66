package io.godwit.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * The ranges for which a device is asked to log. It takes few, so mappings are merged: what lies between the lowest and the
 * highest address below 4 GiB into one, what lies above into another (as QEMU's vfio_dirty_tracking_update). A range that
 * covers more than is mapped costs the device memory, not correctness.
 */
final class LogRanges {
    private static final long LOW_END = 1L << 32;

    private LogRanges() {}

    /** At most {@code max} ranges, in order, that cover all of {@code mappings}; one that spans 4 GiB is taken as high. */
    static List<IovaRange> merge(Iterable<IovaMapping> mappings, int max) {
        long[] low = {Long.MAX_VALUE, 0};
        long[] high = {Long.MAX_VALUE, 0};
        for (IovaMapping mapping : mappings) {
            long[] side = mapping.end() <= LOW_END ? low : high;
            side[0] = Math.min(side[0], mapping.iova());
            side[1] = Math.max(side[1], mapping.end());
        }
        if (max < 2 && low[1] > 0 && high[1] > 0) {
            high[0] = Math.min(low[0], high[0]);
            low[1] = 0;
        }
        List<IovaRange> ranges = new ArrayList<>(2);
        for (long[] side : List.of(low, high)) {
            if (side[1] > 0) {
                ranges.add(new IovaRange(side[0], side[1] - side[0]));
            }
        }
        return ranges;
    }

    /** Whether all of {@code start} to {@code end} lies in one of {@code ranges}. */
    static boolean cover(List<IovaRange> ranges, long start, long end) {
        for (IovaRange range : ranges) {
            if (range.iova() <= start && end <= range.end()) {
                return true;
            }
        }
        return false;
    }
}
