package io.godwit.proto.estimate;

/** How a guest writes its memory. */
@FunctionalInterface
public interface Dirtying {
    /** Bytes of different pages that are dirtied within so many nanoseconds. */
    double bytesIn(long nanos);
}
