package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import java.util.List;

/**
 * One device's logging from its start to its stop, and the translation of what it reports: I/O virtual pages of its own
 * size into guest pages. A page of the device may cover many guest pages, of several mappings, and reading it back clears
 * all of it: so all of them are marked. For one thread at a time, which holds the space's lock.
 */
final class DmaLogSession {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    /** Device pages asked for at once: 8 KiB of bitmap, 256 MiB of pages of 4 KiB. */
    private static final int PAGES_PER_REPORT = 1 << 16;

    private static final long PAGE_BYTES_MAX = 1L << 30;

    private final DmaLogging logging;
    private final List<IovaRange> ranges;
    private final long pageBytes;
    private final DirtyBitmap reported = new DirtyBitmap(PAGES_PER_REPORT);

    private DmaLogSession(DmaLogging logging, List<IovaRange> ranges, long pageBytes) {
        this.logging = logging;
        this.ranges = ranges;
        this.pageBytes = pageBytes;
    }

    /**
     * Has the device log writes to {@code ranges}, as many as it takes.
     *
     * @throws DmaLoggingException when it refuses, or grants a page size that none can have
     */
    static DmaLogSession start(DmaLogging logging, List<IovaRange> ranges) throws DmaLoggingException {
        long granted = logging.start(PAGE, ranges);
        if (Long.bitCount(granted) != 1 || granted < PAGE || granted > PAGE_BYTES_MAX) {
            logging.stop();
            throw new DmaLoggingException("it granted pages of " + granted + " bytes; expected a power of two from "
                    + PAGE + " to " + PAGE_BYTES_MAX);
        }
        return new DmaLogSession(logging, ranges, granted);
    }

    /** Whether writes to all of the range are logged. */
    boolean covers(long start, long end) {
        return LogRanges.cover(ranges, start, end);
    }

    /** Reads back the log of every mapping, as a vIOMMU replays them, and marks the guest pages written in {@code into}. */
    void fetchAll(IovaTable table, DirtyBitmap into) throws DmaLoggingException {
        long start = 0;
        long end = 0;
        for (IovaMapping mapping : table.all()) {
            long from = floor(mapping.iova());
            if (from > end) {
                read(table, start, end, into);
                start = from;
            }
            end = Math.max(end, ceiling(mapping.end()));
        }
        read(table, start, end, into);
    }

    /** Reads back the log of a range about to be unmapped, and of what else lies in the same pages of the device. */
    void fetch(IovaTable table, long start, long end, DirtyBitmap into) throws DmaLoggingException {
        read(table, floor(start), ceiling(end), into);
    }

    void stop() throws DmaLoggingException {
        logging.stop();
    }

    private void read(IovaTable table, long start, long end, DirtyBitmap into) throws DmaLoggingException {
        if (start == end) {
            return;
        }
        IovaMapping[] mappings = table.overlapping(start, end).toArray(IovaMapping[]::new);
        int passed = 0;
        long step = PAGES_PER_REPORT * pageBytes;
        for (long at = start; at < end; at += step) {
            long bytes = Math.min(step, end - at);
            reported.clear();
            long told = logging.report(at, bytes, reported);
            if (told != bytes) {
                throw new DmaLoggingException("asked for " + bytes + " bytes from iova 0x" + Long.toHexString(at)
                        + ", it reported on " + told);
            }
            if (reported.nextSet(bytes / pageBytes) >= 0) {
                throw new DmaLoggingException("asked for " + bytes / pageBytes + " pages from iova 0x"
                        + Long.toHexString(at) + ", it reported page " + reported.nextSet(bytes / pageBytes));
            }
            while (passed < mappings.length && mappings[passed].end() <= at) {
                passed++;
            }
            for (int i = passed; i < mappings.length && mappings[i].iova() < at + bytes; i++) {
                translate(at, bytes, mappings[i], into);
            }
        }
    }

    /** Marks what of a mapping lies in the pages reported from {@code iova}; allocates nothing, for that may be every page. */
    private void translate(long iova, long bytes, IovaMapping mapping, DirtyBitmap into) {
        long from = Math.max(iova, mapping.iova());
        long to = Math.min(iova + bytes, mapping.end());
        if (pageBytes == PAGE) {
            into.orRange(reported, (from - iova) / PAGE, mapping.translate(from) / PAGE, (to - from) / PAGE);
            return;
        }
        long end = (to - iova + pageBytes - 1) / pageBytes;
        for (long page = reported.nextSet((from - iova) / pageBytes); page >= 0 && page < end; ) {
            long next = reported.nextClear(page);
            mapping.mark(iova + page * pageBytes, iova + next * pageBytes, into);
            page = reported.nextSet(next);
        }
    }

    private long floor(long iova) {
        return iova & -pageBytes;
    }

    private long ceiling(long iova) {
        return floor(iova + pageBytes - 1);
    }
}
