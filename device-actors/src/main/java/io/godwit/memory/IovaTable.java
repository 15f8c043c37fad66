package io.godwit.memory;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The mappings of one address space, by I/O virtual address; disjoint, and so many at most. Not thread-safe. */
final class IovaTable {
    private final String space;
    private final int max;
    private final TreeMap<Long, IovaMapping> mappings = new TreeMap<>();

    IovaTable(String space, int max) {
        this.space = space;
        this.max = max;
    }

    /** All of them, in order; a view. */
    Collection<IovaMapping> all() {
        return Collections.unmodifiableCollection(mappings.values());
    }

    /** Adds one. */
    void map(IovaMapping mapping) throws IommuException {
        Map.Entry<Long, IovaMapping> below = mappings.lowerEntry(mapping.end());
        if (below != null && below.getValue().end() > mapping.iova()) {
            throw refused("map of iova " + hex(mapping.iova()) + ", " + mapping.bytes()
                    + " bytes, overlaps the mapping at " + hex(below.getKey()));
        }
        if (mappings.size() >= max) {
            throw refused("map of iova " + hex(mapping.iova()) + ": there are " + max + " mappings, the most allowed");
        }
        mappings.put(mapping.iova(), mapping);
    }

    /** Refuses a range that would cut a mapping in two. */
    void requireWhole(long start, long end) throws IommuException {
        for (long edge : new long[] {start, end}) {
            Map.Entry<Long, IovaMapping> below = mappings.lowerEntry(edge);
            if (below != null && below.getValue().end() > edge) {
                throw refused("unmap of iova " + hex(start) + ", " + (end - start) + " bytes, cuts the mapping at "
                        + hex(below.getKey()) + " in two; expected whole mappings");
            }
        }
    }

    /** Takes every mapping out that begins in the range. */
    void unmap(long start, long end) {
        mappings.subMap(start, end).clear();
    }

    /** The mapping that holds {@code iova}. */
    IovaMapping require(long iova) throws IommuException {
        Map.Entry<Long, IovaMapping> floor = mappings.floorEntry(iova);
        if (floor == null || floor.getValue().end() <= iova) {
            throw refused("nothing is mapped at iova " + hex(iova));
        }
        return floor.getValue();
    }

    /** Every mapping with an address in the range, whole, in order; a view. */
    Collection<IovaMapping> overlapping(long start, long end) {
        Map.Entry<Long, IovaMapping> floor = mappings.floorEntry(start);
        long from = floor != null && floor.getValue().end() > start ? floor.getKey() : start;
        return mappings.subMap(from, end).values();
    }

    /** What of the range is mapped, cut at the borders of mappings, in order. */
    List<IovaMapping> pieces(long start, long end) {
        List<IovaMapping> pieces = new ArrayList<>();
        for (IovaMapping mapping : overlapping(start, end)) {
            long from = Math.max(start, mapping.iova());
            pieces.add(new IovaMapping(from, mapping.translate(from), Math.min(end, mapping.end()) - from));
        }
        return pieces;
    }

    /** Marks the guest pages behind what of the range is mapped. */
    void mark(long start, long end, DirtyBitmap pages) {
        for (IovaMapping mapping : overlapping(start, end)) {
            mapping.mark(start, end, pages);
        }
    }

    IommuException refused(String reason) {
        return new IommuException("container " + space + ": " + reason);
    }

    static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
