package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Gathers headers and views of guest memory: pages go to the socket from where they are. The guest must stand still. */
final class InPlaceBatch implements RamBatch {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    /** Runs to a write: with a header and a view each, well below the 1024 buffers a gathering write takes (IOV_MAX). */
    private static final int RUNS_MAX = 128;

    private final StreamWriter writer;
    private final int bytesMax;
    private final RamRunHeader header = new RamRunHeader();
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer[] headers = new ByteBuffer[RUNS_MAX];
    /** A view each, because a buffer has one position and several runs of one window may be in a write. */
    private final GuestWindows[] windows = new GuestWindows[RUNS_MAX];

    private final ByteBuffer[] gathered = new ByteBuffer[2 * RUNS_MAX];
    private int runs;
    private int buffers;
    private long bytes;
    private long pages;
    private long zeros;

    InPlaceBatch(StreamWriter writer, GuestMemory memory, int bytesMax) {
        this.writer = writer;
        this.bytesMax = bytesMax;
        ByteBuffer all = Framing.buffer(RUNS_MAX * RamRunHeader.FRAME_BYTES_MAX);
        for (int i = 0; i < RUNS_MAX; i++) {
            headers[i] = all.slice(i * RamRunHeader.FRAME_BYTES_MAX, RamRunHeader.FRAME_BYTES_MAX)
                    .order(ByteOrder.LITTLE_ENDIAN);
            windows[i] = new GuestWindows(memory, bytesMax);
        }
    }

    @Override
    public void zero(long page, int count) throws IOException {
        room(RamRunHeader.FRAME_BYTES_MAX);
        add(page, count, true, 0);
        zeros += count;
        runs++;
    }

    @Override
    public void data(long page, int count) throws IOException {
        int length = count * PAGE;
        room(RamRunHeader.FRAME_BYTES_MAX + length);
        ByteBuffer view = windows[runs].at(page * PAGE, length);
        int start = view.position();
        crc.reset();
        crc.update(view);
        view.position(start);
        add(page, count, false, (int) crc.getValue());
        gathered[buffers++] = view;
        bytes += length;
        pages += count;
        runs++;
    }

    private void add(long page, int count, boolean zero, int checksum) {
        ByteBuffer out = headers[runs].clear();
        header.put(out, page * PAGE, count, zero, checksum);
        gathered[buffers++] = out.flip();
        bytes += out.remaining();
    }

    private void room(int length) throws IOException {
        if (runs == RUNS_MAX || bytes + length > bytesMax) {
            flush();
        }
    }

    @Override
    public void flush() throws IOException {
        if (runs == 0) {
            return;
        }
        try {
            writer.ram(gathered, buffers, bytes, pages, zeros);
        } finally {
            runs = 0;
            buffers = 0;
            bytes = 0;
            pages = 0;
            zeros = 0;
        }
    }
}
