package io.godwit.vm;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Guest RAM: one mapping, guest physical address 0 upwards. Data-plane code reads and writes it directly; it never passes
 * through the heap.
 */
public final class GuestMemory {
    /** Bytes in a page, the unit of dirty tracking. */
    public static final int PAGE_SIZE = 4096;

    private final MemorySegment segment;

    /** Wraps a native segment whose size is a multiple of a page and which any thread may touch. */
    public GuestMemory(MemorySegment segment) {
        if (!segment.isNative() || segment.byteSize() % PAGE_SIZE != 0) {
            throw new IllegalArgumentException("guest memory must be native and whole pages: " + segment);
        }
        this.segment = segment;
    }

    /** The whole of it. */
    public MemorySegment segment() {
        return segment;
    }

    /** Size in bytes. */
    public long bytes() {
        return segment.byteSize();
    }

    /** Size in pages. */
    public long pages() {
        return segment.byteSize() / PAGE_SIZE;
    }

    /**
     * A direct buffer over {@code bytes} from {@code gpa}; allocates a view, so not for use per page.
     *
     * @throws IndexOutOfBoundsException outside the memory
     */
    public ByteBuffer buffer(long gpa, int bytes) {
        return segment.asSlice(gpa, bytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
