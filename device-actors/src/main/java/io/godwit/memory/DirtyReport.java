package io.godwit.memory;

/**
 * What one sync of an address space found.
 *
 * @param pinnedPages pages reported because they are pinned: held back while the devices run, dirty once they stand
 *     still; pages hidden by {@link ReportingPolicy#STOP_COPY_ONLY} count only once the devices stand still
 * @param dmaDirtyPages pages that the hardware says were written since the last sync, or that were let go since
 * @param trustworthy false while pages are pinned under {@link ReportingPolicy#STOP_COPY_ONLY}
 */
public record DirtyReport(long pinnedPages, long dmaDirtyPages, boolean trustworthy) {}
