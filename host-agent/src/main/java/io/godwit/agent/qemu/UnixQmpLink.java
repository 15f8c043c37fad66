package io.godwit.agent.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** QMP over a Unix socket ({@code -qmp unix:PATH,server=on,wait=off}). */
public final class UnixQmpLink implements QmpLink {
    private final Path socket;
    private final int lineBytesMax;
    private final SocketChannel channel;
    private ByteBuffer input;

    private UnixQmpLink(Path socket, int lineBytesMax, int readBytes, SocketChannel channel) {
        this.socket = socket;
        this.lineBytesMax = lineBytesMax;
        this.channel = channel;
        this.input = ByteBuffer.allocate(readBytes).flip();
    }

    /**
     * Connects to {@code socket}.
     *
     * @param readBytes bytes read at once; the buffer grows from there
     * @param lineBytesMax longest line taken in; a longer one breaks the link
     */
    public static UnixQmpLink open(Path socket, int readBytes, int lineBytesMax) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw new IOException("QMP socket " + socket + ": " + e.getMessage(), e);
        }
        return new UnixQmpLink(socket, lineBytesMax, readBytes, channel);
    }

    @Override
    public @Nullable String readLine() throws IOException {
        int looked = input.position();
        while (true) {
            for (int at = looked; at < input.limit(); at++) {
                if (input.get(at) == '\n') {
                    return take(at);
                }
            }
            looked = input.limit() - input.position();
            if (looked >= lineBytesMax) {
                throw new IOException("QMP socket " + socket + ": a line of over " + lineBytesMax + " bytes");
            }
            if (!more()) {
                return null;
            }
            looked += input.position();
        }
    }

    private String take(int end) {
        int length = end - input.position();
        // QEMU ends its lines with CR LF
        if (length > 0 && input.get(end - 1) == '\r') {
            length--;
        }
        String line = new String(input.array(), input.arrayOffset() + input.position(), length, StandardCharsets.UTF_8);
        input.position(end + 1);
        return line;
    }

    private boolean more() throws IOException {
        ByteBuffer kept = input;
        if (kept.remaining() == kept.capacity()) {
            kept = ByteBuffer.allocate(kept.capacity() * 2).put(kept);
        } else {
            kept.compact();
        }
        int read;
        try {
            read = channel.read(kept);
        } finally {
            input = kept.flip();
        }
        return read >= 0;
    }

    @Override
    public void writeLine(String line) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\r\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("QMP socket " + socket, e);
        }
    }
}
