package io.godwit.memory;

import java.util.List;

/**
 * What one sync of an address space found.
 *
 * @param pinnedPages pages reported because they are pinned: held back while the devices run, dirty once they stand
 *     still; pages hidden by {@link ReportingPolicy#STOP_COPY_ONLY} count only once the devices stand still
 * @param dmaDirtyPages pages that the devices' logs say were written since the last sync, or that were let go since
 * @param trustworthy false while pages are pinned under {@link ReportingPolicy#STOP_COPY_ONLY}
 * @param warnings what was at fault since the last sync and made more pages count as dirty than were written, each in
 *     one line that names the device
 */
public record DirtyReport(long pinnedPages, long dmaDirtyPages, boolean trustworthy, List<String> warnings) {
    public DirtyReport {
        warnings = List.copyOf(warnings);
    }
}
