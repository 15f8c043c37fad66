package io.godwit.memory;

import io.godwit.vm.GuestMemory;

/** A range of I/O virtual addresses and the guest physical range behind it, in bytes. */
public record IovaMapping(long iova, long gpa, long bytes) {
    /** First I/O virtual address after it. */
    public long end() {
        return iova + bytes;
    }

    /** Where {@code address}, which lies in it, leads. */
    long translate(long address) {
        return gpa + (address - iova);
    }

    /** Marks the guest pages behind what of it lies in a range of I/O virtual addresses. */
    void mark(long start, long end, DirtyBitmap pages) {
        long from = Math.max(start, iova);
        long to = Math.min(end, end());
        if (from < to) {
            pages.setRange(translate(from) / GuestMemory.PAGE_SIZE, (to - from) / GuestMemory.PAGE_SIZE);
        }
    }
}
