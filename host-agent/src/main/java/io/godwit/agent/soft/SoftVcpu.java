package io.godwit.agent.soft;

import io.godwit.agent.guest.VcpuEngine;
import io.godwit.agent.guest.VcpuImage;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One vCPU of a soft guest: goes through its slice by the write rule. Its whole state: where it stands and its count. */
final class SoftVcpu implements VcpuEngine {
    private static final VarHandle COUNTER = ValueLayout.JAVA_LONG.varHandle();
    private static final int PAYLOAD = 2 * Long.BYTES;

    private final int index;
    private final GuestLayout.Range slice;
    private final VcpuImage image;
    private final MemorySegment ram;
    private final SoftDirtyLog log;
    private long position;
    private long count;
    private boolean hasState;

    SoftVcpu(int index, GuestLayout.Range slice, GuestMemory memory, SoftDirtyLog log, boolean hasState) {
        this.index = index;
        this.slice = slice;
        this.image = new VcpuImage(SoftDriver.NAME, index, slice.firstPage(), slice.pages());
        this.ram = memory.segment();
        this.log = log;
        this.hasState = hasState;
    }

    @Override
    public void batch(int pages) {
        long at = position;
        for (int i = 0; i < pages; i++) {
            long gpa = slice.gpa() + at * GuestMemory.PAGE_SIZE;
            long next = (long) COUNTER.get(ram, gpa) + 1;
            // volatile, then the log: whoever starts the log and does not get this bit sees this store (both are in one
            // total order), and whoever takes the bit sees it too
            COUNTER.setVolatile(ram, gpa, next);
            log.written(slice.firstPage() + at);
            at = at + 1 == slice.pages() ? 0 : at + 1;
        }
        position = at;
        count += pages;
    }

    @Override
    public void settle() {
        // between two batches position and count already say everything
    }

    boolean hasState() {
        return hasState;
    }

    long count() {
        return count;
    }

    byte[] save() {
        ByteBuffer payload = ByteBuffer.allocate(PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);
        payload.putLong(position).putLong(count);
        return image.encode(payload.array());
    }

    void load(byte[] state) throws GuestException {
        ByteBuffer payload = ByteBuffer.wrap(image.decode(state, PAYLOAD)).order(ByteOrder.LITTLE_ENDIAN);
        long newPosition = payload.getLong();
        long newCount = payload.getLong();
        if (newPosition < 0 || newPosition >= Math.max(1, slice.pages()) || newCount < 0) {
            throw new GuestException("state of vCPU " + index + ": page " + newPosition + " of " + slice.pages()
                    + " after " + newCount + " writes; expected a page of the slice and a count of 0 or more");
        }
        position = newPosition;
        count = newCount;
        hasState = true;
    }
}
