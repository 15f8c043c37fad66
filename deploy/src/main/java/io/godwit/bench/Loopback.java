package io.godwit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** The yardstick: as little program as copies bytes over a loopback socket, with the buffers the kernel gives by itself. */
final class Loopback {
    static final int CHUNK_BYTES = 1 << 20;

    private Loopback() {}

    /** Writes {@code source}, 1 MiB at a time, and waits until the receiver has all of it. */
    static void send(int port, ByteBuffer[] source) throws IOException {
        try (SocketChannel socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            for (ByteBuffer part : source) {
                part.clear();
                while (part.hasRemaining()) {
                    socket.write(part);
                }
            }
            socket.shutdownOutput();
            if (socket.read(ByteBuffer.allocate(1)) != 1) {
                throw new IOException("the plain receiver ended without its acknowledgement");
            }
        }
    }

    /** Accepts one connection, reads it to its end into one 1 MiB buffer, and answers with a byte. */
    static void receive(ServerSocketChannel server) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK_BYTES);
        try (SocketChannel socket = server.accept()) {
            while (socket.read(buffer.clear()) >= 0) {
                // only the reading is wanted
            }
            socket.write(ByteBuffer.wrap(new byte[] {1}));
        }
    }
}
