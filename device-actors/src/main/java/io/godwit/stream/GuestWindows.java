package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reused buffers over guest memory: a buffer spans less than 2 GiB, so there is one per GiB, made when first needed, each
 * reaching far enough into the next that a run which begins in it also ends in it. One instance per thread.
 */
final class GuestWindows {
    private static final int SHIFT = 30;

    private final GuestMemory memory;
    private final long reach;
    private final @Nullable ByteBuffer[] windows;

    /** {@code runBytesMax} is the longest run that will be asked for. */
    GuestWindows(GuestMemory memory, int runBytesMax) {
        this.memory = memory;
        this.reach = (1L << SHIFT) + runBytesMax;
        this.windows = new ByteBuffer[Math.toIntExact((memory.bytes() + (1L << SHIFT) - 1) >>> SHIFT)];
    }

    /** The window that holds the run, its position and limit set to the run's ends. Valid until the next call. */
    ByteBuffer at(long gpa, int bytes) {
        int index = (int) (gpa >>> SHIFT);
        long base = (long) index << SHIFT;
        ByteBuffer window = windows[index];
        if (window == null) {
            window = memory.buffer(base, (int) Math.min(reach, memory.bytes() - base));
            windows[index] = window;
        }
        int offset = (int) (gpa - base);
        return window.limit(offset + bytes).position(offset);
    }
}
