package io.godwit.memory;

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
}
