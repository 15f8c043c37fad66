package io.godwit.agent.transport;

import io.godwit.stream.MigrationChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A connected TCP socket in blocking mode. */
final class TcpChannel implements MigrationChannel {
    private final SocketChannel socket;
    private final String peer;

    /** Takes over a connected socket. */
    TcpChannel(SocketChannel socket) throws IOException {
        // answers and the last frame must not wait for a full segment
        socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        this.socket = socket;
        InetSocketAddress remote = (InetSocketAddress) socket.getRemoteAddress();
        this.peer = remote.getHostString() + ":" + remote.getPort();
    }

    @Override
    public void write(ByteBuffer[] buffers, int offset, int length) throws IOException {
        int first = offset;
        int end = offset + length;
        while (first < end) {
            if (buffers[first].hasRemaining()) {
                socket.write(buffers, first, end - first);
            } else {
                first++;
            }
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return socket.read(into);
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
