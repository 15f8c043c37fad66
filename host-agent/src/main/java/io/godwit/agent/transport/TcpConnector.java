package io.godwit.agent.transport;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.stream.MigrationChannel;
import io.godwit.stream.StreamConnector;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;

/** Connects migration streams over TCP. */
public final class TcpConnector implements StreamConnector {
    private final TransportSettings settings;

    /** With the buffer size and connect timeout of {@code settings}. */
    public TcpConnector(TransportSettings settings) {
        this.settings = settings;
    }

    @Override
    public MigrationChannel connect(DataEndpoint to) throws IOException {
        SocketChannel socket = SocketChannel.open();
        try {
            // the way back carries a few small answers: only what is sent needs room
            if (settings.socketBufferBytes() > 0) {
                socket.setOption(StandardSocketOptions.SO_SNDBUF, settings.socketBufferBytes());
            }
            InetSocketAddress address = new InetSocketAddress(to.host(), to.port());
            if (address.isUnresolved()) {
                throw failed(to, "unknown host", null);
            }
            socket.socket()
                    .connect(address, Math.toIntExact(settings.connectTimeout().toMillis()));
            return new TcpChannel(socket);
        } catch (SocketTimeoutException e) {
            socket.close();
            throw failed(to, "no answer within " + settings.connectTimeout().toMillis() + " ms", e);
        } catch (ConnectException e) {
            socket.close();
            String reason = String.valueOf(e.getMessage());
            throw failed(to, reason.contains("refused") ? "refused" : reason, e);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e instanceof IOException io && String.valueOf(io.getMessage()).startsWith("cannot connect")
                    ? io
                    : failed(to, String.valueOf(e.getMessage()), e);
        }
    }

    private static IOException failed(
            DataEndpoint to, String reason, @org.jspecify.annotations.Nullable Exception cause) {
        return new IOException("cannot connect to " + to + ": " + reason, cause);
    }
}
