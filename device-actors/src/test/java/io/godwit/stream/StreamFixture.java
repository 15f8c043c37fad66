package io.godwit.stream;

import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Channels, memory and small streams for the tests of this package. */
final class StreamFixture {
    static final int PAGE = GuestMemory.PAGE_SIZE;
    static final StreamSettings SETTINGS =
            new StreamSettings(4096, 256, 1 << 20, 1 << 16, 4, 4, 256 << 10, 16 << 10, 5);
    static final Pacer PACER = Pacer.parking(System::nanoTime);

    private StreamFixture() {}

    static GuestMemory memory(Arena arena, long pages) {
        return new GuestMemory(arena.allocate(pages * PAGE, PAGE));
    }

    /** Random pages, every fourth or so zero. */
    static GuestMemory randomMemory(Arena arena, long pages, Random random) {
        GuestMemory memory = memory(arena, pages);
        for (long at = 0; at < memory.bytes(); at += PAGE) {
            if (random.nextInt(4) > 0) {
                byte[] page = new byte[PAGE];
                random.nextBytes(page);
                MemorySegment.copy(page, 0, memory.segment(), ValueLayout.JAVA_BYTE, at, PAGE);
            }
        }
        return memory;
    }

    static DirtyBitmap allOf(GuestMemory memory) {
        DirtyBitmap bitmap = new DirtyBitmap(memory.pages());
        bitmap.setAll();
        return bitmap;
    }

    static Preamble preamble(long pages) {
        return new Preamble(
                "m1",
                "vm1",
                3,
                PAGE,
                pages * PAGE,
                1,
                "soft",
                List.of(new DeviceIdentity("gpu0", "gpu/1", true)),
                true);
    }

    static long digest(GuestMemory memory) {
        return RamDigest.of(memory, Runnable::run, 0);
    }

    /** Two ends of a real loopback connection. */
    static List<SocketEnd> connect(int socketBuffer) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            SocketChannel client = SocketChannel.open();
            client.setOption(java.net.StandardSocketOptions.SO_SNDBUF, socketBuffer);
            client.connect(server.getLocalAddress());
            return List.of(new SocketEnd(client), new SocketEnd(server.accept()));
        }
    }

    record SocketEnd(SocketChannel socket) implements MigrationChannel {
        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) throws IOException {
            long left = 0;
            for (int i = offset; i < offset + length; i++) {
                left += buffers[i].remaining();
            }
            while (left > 0) {
                left -= socket.write(buffers, offset, length);
            }
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return socket.read(into);
        }

        @Override
        public String peer() {
            return "loopback";
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    /** Keeps what is written; reads from what it was given, {@code step} bytes at a time. */
    static final class Tape implements MigrationChannel {
        final ByteArrayOutputStream written = new ByteArrayOutputStream();
        private final ByteBuffer recorded;
        private final int step;

        Tape() {
            this(new byte[0], 1);
        }

        Tape(byte[] recorded, int step) {
            this.recorded = ByteBuffer.wrap(recorded);
            this.step = step;
        }

        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) {
            for (int i = offset; i < offset + length; i++) {
                byte[] bytes = new byte[buffers[i].remaining()];
                buffers[i].get(bytes);
                written.writeBytes(bytes);
            }
        }

        @Override
        public int read(ByteBuffer into) {
            int bytes = Math.min(step, Math.min(into.remaining(), recorded.remaining()));
            if (bytes == 0) {
                return -1;
            }
            into.put(recorded.slice(recorded.position(), bytes));
            recorded.position(recorded.position() + bytes);
            return bytes;
        }

        @Override
        public String peer() {
            return "tape";
        }

        @Override
        public void close() {}
    }

    /** Keeps what arrives, as text. */
    static final class Arrivals implements StreamSink {
        final List<String> seen = new ArrayList<>();

        @Override
        public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) {
            byte[] bytes = new byte[chunk.remaining()];
            chunk.get(bytes);
            seen.add(device + " " + kind + " " + java.util.Arrays.hashCode(bytes));
        }

        @Override
        public void vcpu(int index, byte[] state) {
            seen.add("vcpu " + index + " " + java.util.Arrays.hashCode(state));
        }
    }
}
