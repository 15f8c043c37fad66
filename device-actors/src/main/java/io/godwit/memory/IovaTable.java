package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The mappings of one address space, by I/O virtual address; disjoint, and so many at most. Not thread-safe. */
final class IovaTable {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

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
        IovaMapping mapping = at(iova);
        if (mapping == null) {
            throw refused("nothing is mapped at iova " + hex(iova));
        }
        return mapping;
    }

    private @Nullable IovaMapping at(long iova) {
        Map.Entry<Long, IovaMapping> floor = mappings.floorEntry(iova);
        return floor != null && floor.getValue().end() > iova ? floor.getValue() : null;
    }

    /** What of the range is mapped, cut at the borders of mappings, in order. */
    void pieces(long start, long end, Consumer<IovaMapping> take) {
        IovaMapping first = at(start);
        if (first != null) {
            take.accept(cut(first, start, end));
        }
        for (IovaMapping mapping : mappings.subMap(start, false, end, false).values()) {
            take.accept(cut(mapping, start, end));
        }
    }

    /** As {@link #pieces(long, long, Consumer)}, in a list. */
    List<IovaMapping> pieces(long start, long end) {
        List<IovaMapping> pieces = new ArrayList<>();
        pieces(start, end, pieces::add);
        return pieces;
    }

    /** Marks the guest pages behind what of the range is mapped. */
    void mark(long start, long end, DirtyBitmap pages) {
        pieces(start, end, piece -> pages.setRange(piece.gpa() / PAGE, piece.bytes() / PAGE));
    }

    private static IovaMapping cut(IovaMapping mapping, long start, long end) {
        long from = Math.max(start, mapping.iova());
        return new IovaMapping(from, mapping.translate(from), Math.min(end, mapping.end()) - from);
    }

    IommuException refused(String reason) {
        return new IommuException("container " + space + ": " + reason);
    }

    static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
