package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.lang.foreign.MemorySegment;

/** Finds and writes pages of zeros, without an object per page. */
final class ZeroPages {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new byte[GuestMemory.PAGE_SIZE]).asReadOnly();

    private ZeroPages() {}

    /** Whether the page is all zero; ends at its first non-zero byte. */
    static boolean isZero(MemorySegment memory, long gpa) {
        return MemorySegment.mismatch(memory, gpa, gpa + GuestMemory.PAGE_SIZE, ZEROS, 0, GuestMemory.PAGE_SIZE) < 0;
    }

    /** Makes the page zero; one that is zero already is only read, which does not make it take up memory. */
    static void clear(MemorySegment memory, long gpa) {
        if (!isZero(memory, gpa)) {
            MemorySegment.copy(ZEROS, 0, memory, gpa, GuestMemory.PAGE_SIZE);
        }
    }
}
