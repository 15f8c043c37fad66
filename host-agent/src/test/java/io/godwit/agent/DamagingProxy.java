package io.godwit.agent;

import io.godwit.proto.host.DataEndpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.Executor;

/**
 * Stands between source and destination of one stream: flips a bit of the byte at a chosen place on the way there, or
 * cuts the connection there.
 */
final class DamagingProxy implements AutoCloseable {
    enum Fault {
        FLIP,
        CUT
    }

    private final ServerSocket server;
    private final Executor executor;
    private final DataEndpoint to;
    private final long at;
    private final Fault fault;

    DamagingProxy(DataEndpoint to, long at, Fault fault, Executor executor) throws IOException {
        this.server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        this.to = to;
        this.at = at;
        this.fault = fault;
        this.executor = executor;
        executor.execute(this::serve);
    }

    DataEndpoint endpoint() {
        return new DataEndpoint("127.0.0.1", server.getLocalPort());
    }

    private void serve() {
        try (Socket source = server.accept();
                Socket destination = new Socket(to.host(), to.port())) {
            executor.execute(() -> back(destination, source));
            forth(source.getInputStream(), destination.getOutputStream());
        } catch (IOException e) {
            // one of the two has gone: both sockets are closed, which is all a proxy can say
            return;
        }
    }

    private void forth(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[64 * 1024];
        long passed = 0;
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (passed <= at && at < passed + read) {
                if (fault == Fault.CUT) {
                    return;
                }
                buffer[(int) (at - passed)] ^= 0x10;
            }
            out.write(buffer, 0, read);
            passed += read;
        }
    }

    private static void back(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            // as above
            return;
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
