package io.godwit.device;

import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.DmaLogging;
import io.godwit.memory.DmaLoggingException;
import io.godwit.memory.DmaWrites;
import io.godwit.memory.IovaRange;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The log that a model device keeps of its DMA writes, as mlx5 and others do in hardware: one bit per page of the size
 * granted, in I/O virtual addresses, within the ranges asked for. Memory is taken where something is written only. Safe
 * for any thread.
 */
final class ModelDmaLog implements DmaLogging, DmaWrites {
    /** Page sizes it offers: every power of two between. */
    static final long PAGE_BYTES_MIN = 4096;

    static final long PAGE_BYTES_MAX = 2 << 20;
    static final int RANGES_MAX = 4;

    /** Pages of the log that share an array. */
    private static final int CHUNK_PAGES = 4096;

    private final DmaLoggingFaults faults;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, long[]> chunks = new HashMap<>();
    private List<IovaRange> ranges = List.of();
    private long pageBytes;

    ModelDmaLog(DmaLoggingFaults faults) {
        this.faults = faults;
    }

    @Override
    public int rangesMax() {
        return RANGES_MAX;
    }

    @Override
    public long start(long pageBytesWanted, List<IovaRange> wanted) throws DmaLoggingException {
        lock.lock();
        try {
            if (pageBytes != 0) {
                throw new DmaLoggingException("it logs already");
            }
            check(pageBytesWanted, wanted);
            if (faults.failsStart()) {
                throw new DmaLoggingException("the device refused (fault switched on)");
            }
            pageBytes = faults.pageBytes(Math.max(pageBytesWanted, PAGE_BYTES_MIN));
            ranges = List.copyOf(wanted);
            return pageBytes;
        } finally {
            lock.unlock();
        }
    }

    private static void check(long pageBytesWanted, List<IovaRange> wanted) throws DmaLoggingException {
        if (Long.bitCount(pageBytesWanted) != 1 || pageBytesWanted < 1 || pageBytesWanted > PAGE_BYTES_MAX) {
            throw new DmaLoggingException("pages of " + pageBytesWanted
                    + " bytes are wanted; it offers powers of two up to " + PAGE_BYTES_MAX);
        }
        if (wanted.isEmpty() || wanted.size() > RANGES_MAX) {
            throw new DmaLoggingException(wanted.size() + " ranges are wanted; it takes 1 to " + RANGES_MAX);
        }
        long end = 0;
        for (IovaRange range : wanted) {
            if (range.iova() < end
                    || range.bytes() <= 0
                    || range.iova() % pageBytesWanted != 0
                    || range.bytes() % pageBytesWanted != 0) {
                throw new DmaLoggingException(
                        "a range of " + range.bytes() + " bytes from iova 0x" + Long.toHexString(range.iova())
                                + " is wanted; it takes disjoint ranges in order, whole pages");
            }
            end = range.end();
        }
    }

    @Override
    public void wrote(long iova, long bytes) {
        lock.lock();
        try {
            if (pageBytes == 0) {
                return;
            }
            for (IovaRange range : ranges) {
                long from = Math.max(iova, range.iova());
                long end = Math.min(iova + bytes, range.end());
                if (from < end) {
                    mark(from / pageBytes, (end - 1) / pageBytes);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void mark(long first, long last) {
        for (long page = first; page <= last; ) {
            long[] chunk = chunks.computeIfAbsent(page / CHUNK_PAGES, _ -> new long[CHUNK_PAGES / Long.SIZE]);
            long end = Math.min(last + 1, (page / CHUNK_PAGES + 1) * CHUNK_PAGES);
            for (; page < end; page++) {
                chunk[(int) (page % CHUNK_PAGES) / Long.SIZE] |= 1L << page;
            }
        }
    }

    @Override
    public long report(long iova, long bytes, DirtyBitmap pages) throws DmaLoggingException {
        lock.lock();
        try {
            if (pageBytes == 0) {
                throw new DmaLoggingException("it does not log");
            }
            if (faults.failsReport()) {
                chunks.clear();
                throw new DmaLoggingException("the device lost its log (fault switched on)");
            }
            if (iova % pageBytes != 0 || bytes % pageBytes != 0) {
                throw new DmaLoggingException("asked for " + bytes + " bytes from iova 0x" + Long.toHexString(iova)
                        + "; its pages have " + pageBytes);
            }
            long told = faults.shortensReport() ? bytes / 2 / pageBytes * pageBytes : bytes;
            take(iova / pageBytes, told / pageBytes, pages);
            if (faults.straysInReport() && bytes / pageBytes < pages.pages()) {
                pages.set(bytes / pageBytes);
            }
            return told;
        } finally {
            lock.unlock();
        }
    }

    private void take(long first, long count, DirtyBitmap pages) {
        for (long page = first; page < first + count; ) {
            long end = Math.min(first + count, (page / CHUNK_PAGES + 1) * CHUNK_PAGES);
            long[] chunk = chunks.get(page / CHUNK_PAGES);
            if (chunk == null) {
                page = end;
                continue;
            }
            for (; page < end; page++) {
                int word = (int) (page % CHUNK_PAGES) / Long.SIZE;
                if ((chunk[word] & 1L << page) != 0) {
                    chunk[word] &= ~(1L << page);
                    pages.set(page - first);
                }
            }
        }
    }

    @Override
    public void stop() {
        lock.lock();
        try {
            pageBytes = 0;
            ranges = List.of();
            chunks.clear();
        } finally {
            lock.unlock();
        }
    }
}
