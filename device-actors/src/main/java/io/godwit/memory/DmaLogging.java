package io.godwit.memory;

import java.util.List;

/**
 * A device that knows which pages its DMA has written: its log, in I/O virtual addresses and pages of its own size. A
 * device announces it by handing it to {@link IommuSpace#attach(String, ReportingPolicy, DmaLogging)}, which drives it
 * (linux/vfio.h: VFIO_DEVICE_FEATURE_DMA_LOGGING_START, _REPORT, _STOP). Called from data-plane threads, one call at a
 * time, while DMA goes on; the address space is locked meanwhile, so a call must not wait for DMA or for a change of it.
 */
public interface DmaLogging {
    /** Most ranges that {@link #start} takes; at least 1. */
    int rangesMax();

    /**
     * Starts logging writes to {@code ranges}; nothing written before is logged.
     *
     * @param pageBytesWanted the page size the caller would like, a power of two
     * @param ranges in order, disjoint, whole pages of the size wanted
     * @return the page size granted, the smallest the device offers that is not below the one wanted
     * @throws DmaLoggingException when it logs already, or cannot log this
     */
    long start(long pageBytesWanted, List<IovaRange> ranges) throws DmaLoggingException;

    /**
     * Reads back and clears the log of a range.
     *
     * @param iova a multiple of the page size granted, as {@code bytes} is
     * @param pages takes a mark for every page of that size with a write in it, the page at {@code iova} being page 0;
     *     marks are added, never taken
     * @return bytes reported on: {@code bytes}, unless the device is at fault
     * @throws DmaLoggingException when it does not log, or its log is lost
     */
    long report(long iova, long bytes, DirtyBitmap pages) throws DmaLoggingException;

    /** Stops logging and forgets; nothing when it does not log. */
    void stop() throws DmaLoggingException;
}
