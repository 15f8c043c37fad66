package io.godwit.vm;

import java.lang.foreign.ValueLayout;

/** The non-zero pattern with which a guest's RAM is filled when its workload says so; a function of the address alone. */
public final class MemoryPattern {
    private MemoryPattern() {}

    /**
     * Fills {@code bytes} from {@code gpa}, but leaves the first 8 bytes of every page zero: the write rule's counters
     * start there. A page is never all zero.
     */
    public static void fill(GuestMemory memory, long gpa, long bytes) {
        long end = gpa + bytes;
        for (long at = gpa; at < end; at += Long.BYTES) {
            if (at % GuestMemory.PAGE_SIZE != 0) {
                // splitmix64's finalizer: cheap, and never repeats within a guest
                long z = at + 0x9E3779B97F4A7C15L;
                z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
                z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
                memory.segment().set(ValueLayout.JAVA_LONG, at, z ^ (z >>> 31));
            }
        }
    }
}
