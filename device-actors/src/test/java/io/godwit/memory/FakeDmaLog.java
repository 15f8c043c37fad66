package io.godwit.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** A device's log as a set of pages, that keeps what it was asked and does wrong what a test wants done wrong. */
final class FakeDmaLog implements DmaLogging, DmaWrites {
    final List<List<IovaRange>> started = new ArrayList<>();
    final List<IovaRange> reports = new ArrayList<>();
    int stops;
    int rangesMax = 4;
    long pageBytes = 4096;
    boolean failStart;
    boolean failReport;
    boolean failStop;
    boolean shortReport;
    boolean strayReport;
    private final TreeSet<Long> pages = new TreeSet<>();
    private boolean logs;

    @Override
    public int rangesMax() {
        return rangesMax;
    }

    @Override
    public long start(long pageBytesWanted, List<IovaRange> ranges) throws DmaLoggingException {
        started.add(List.copyOf(ranges));
        if (failStart || logs) {
            throw new DmaLoggingException("no room for a log");
        }
        logs = true;
        return pageBytes;
    }

    @Override
    public void wrote(long iova, long bytes) {
        if (logs) {
            for (long at = iova; at < iova + bytes; at += 4096) {
                long page = at;
                if (started.getLast().stream().anyMatch(range -> range.iova() <= page && page < range.end())) {
                    pages.add(at / pageBytes);
                }
            }
        }
    }

    @Override
    public long report(long iova, long bytes, DirtyBitmap into) throws DmaLoggingException {
        reports.add(new IovaRange(iova, bytes));
        if (failReport || !logs) {
            pages.clear();
            throw new DmaLoggingException("the log overflowed");
        }
        for (long page = iova / pageBytes; page < (iova + bytes) / pageBytes; page++) {
            if (pages.remove(page)) {
                into.set(page - iova / pageBytes);
            }
        }
        if (strayReport) {
            into.set(bytes / pageBytes);
        }
        return shortReport ? bytes - 4096 : bytes;
    }

    @Override
    public void stop() throws DmaLoggingException {
        stops++;
        logs = false;
        pages.clear();
        if (failStop) {
            throw new DmaLoggingException("it goes on logging");
        }
    }
}
