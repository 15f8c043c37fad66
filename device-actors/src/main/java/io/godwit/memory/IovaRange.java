package io.godwit.memory;

/** A range of I/O virtual addresses, in bytes. */
public record IovaRange(long iova, long bytes) {
    /** First address after it. */
    public long end() {
        return iova + bytes;
    }
}
