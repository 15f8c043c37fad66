package io.godwit.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of disjoint ranges of addresses that can be cut anywhere; start to end (exclusive). Not thread-safe. */
final class IovaRanges {
    /** From {@code start} up to before {@code end}. */
    record Span(long start, long end) {}

    private final TreeMap<Long, Long> spans = new TreeMap<>();

    /** Whether any address of the range is in the set. */
    boolean overlaps(long start, long end) {
        Map.Entry<Long, Long> below = spans.lowerEntry(end);
        return below != null && below.getValue() > start;
    }

    /** First address of the range that is not in the set, or {@code end}. */
    long firstGap(long start, long end) {
        long at = start;
        while (at < end) {
            Map.Entry<Long, Long> floor = spans.floorEntry(at);
            if (floor == null || floor.getValue() <= at) {
                return at;
            }
            at = floor.getValue();
        }
        return end;
    }

    /** Adds a range that does not overlap the set. */
    void add(long start, long end) {
        spans.put(start, end);
    }

    /** Takes a range out, and returns what of it was in the set. */
    List<Span> remove(long start, long end) {
        List<Span> removed = new ArrayList<>();
        Map.Entry<Long, Long> entry = spans.lowerEntry(end);
        while (entry != null && entry.getValue() > start) {
            long from = entry.getKey();
            long to = entry.getValue();
            spans.remove(from);
            if (from < start) {
                spans.put(from, start);
            }
            if (to > end) {
                spans.put(end, to);
            }
            removed.add(new Span(Math.max(from, start), Math.min(to, end)));
            entry = spans.lowerEntry(Math.max(from, start));
        }
        return removed;
    }

    /** All of them, in order. */
    List<Span> all() {
        List<Span> all = new ArrayList<>(spans.size());
        spans.forEach((start, end) -> all.add(new Span(start, end)));
        return all;
    }
}
