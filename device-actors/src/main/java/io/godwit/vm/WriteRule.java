package io.godwit.vm;

import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The rule by which guest programs and device DMA write memory, and by which a reader of it proves that no write was lost
 * and none doubled: the writer goes through its pages in order, round after round, adding one to the 64-bit counter at
 * the start of each, and counts its additions outside that memory (in a vCPU register, in device state). At any moment
 * the counters are all equal but for one step down by one where the writer stands, and their sum is the count. A page
 * from an older copy, a lost dirty bit or a replayed batch breaks one or the other. (QEMU's migration tests check their
 * boot-sector guest by the first half: tests/qtest/migration, check_guests_ram.)
 */
public final class WriteRule {
    private WriteRule() {}

    /**
     * Checks a range, its writer standing still.
     *
     * @param writes additions the writer has counted
     * @return the first violation, or empty when the rule holds
     */
    public static Optional<String> violation(GuestMemory memory, GuestLayout.Range range, long writes) {
        long pages = range.pages();
        if (pages == 0) {
            return writes == 0 ? Optional.empty() : Optional.of(writes + " writes counted, but no pages to write");
        }
        long round = writes / pages;
        long inRound = writes % pages;
        for (long i = 0; i < pages; i++) {
            long expected = round + (i < inRound ? 1 : 0);
            long gpa = range.gpa() + i * GuestMemory.PAGE_SIZE;
            long found = memory.segment().get(ValueLayout.JAVA_LONG, gpa);
            if (found != expected) {
                return Optional.of("page at 0x" + Long.toHexString(gpa) + " holds " + found + ", expected " + expected
                        + " (write " + writes + ", round " + round + ", page " + i + " of " + pages + ")");
            }
        }
        return Optional.empty();
    }
}
