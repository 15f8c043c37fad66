package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Copies headers and pages into one reused direct buffer: what is summed is what is sent, even if the guest runs. */
final class CopiedBatch implements RamBatch {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private final StreamWriter writer;
    private final MemorySegment memory;
    private final ByteBuffer batch;
    private final MemorySegment batchBytes;
    private final ByteBuffer[] gathered;
    private final RamRunHeader header = new RamRunHeader();
    private final CRC32C crc = new CRC32C();
    private long pages;
    private long zeros;

    CopiedBatch(StreamWriter writer, GuestMemory memory, int bytesMax) {
        this.writer = writer;
        this.memory = memory.segment();
        this.batch = Framing.buffer(bytesMax);
        this.batchBytes = MemorySegment.ofBuffer(batch);
        this.gathered = new ByteBuffer[] {batch};
    }

    @Override
    public void zero(long page, int count) throws IOException {
        room(RamRunHeader.FRAME_BYTES_MAX);
        header.put(batch, page * PAGE, count, true, 0);
        zeros += count;
    }

    @Override
    public void data(long page, int count) throws IOException {
        int bytes = count * PAGE;
        room(RamRunHeader.FRAME_BYTES_MAX + bytes);
        int start = batch.position();
        int payload = start + RamRunHeader.dataFrameBytes(page * PAGE, count);
        MemorySegment.copy(memory, page * PAGE, batchBytes, payload, bytes);
        batch.limit(payload + bytes).position(payload);
        crc.reset();
        crc.update(batch);
        batch.limit(batch.capacity()).position(start);
        header.put(batch, page * PAGE, count, false, (int) crc.getValue());
        batch.position(payload + bytes);
        pages += count;
    }

    private void room(int bytes) throws IOException {
        if (batch.remaining() < bytes) {
            flush();
        }
    }

    @Override
    public void flush() throws IOException {
        if (batch.position() == 0) {
            return;
        }
        batch.flip();
        try {
            writer.ram(gathered, 1, batch.remaining(), pages, zeros);
        } finally {
            batch.clear();
            pages = 0;
            zeros = 0;
        }
    }
}
