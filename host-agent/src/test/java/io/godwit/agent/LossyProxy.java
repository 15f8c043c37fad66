package io.godwit.agent;

import io.godwit.proto.host.DataEndpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A link between two QEMUs that a test can cut, or deafen in the direction of the source. */
final class LossyProxy implements AutoCloseable {
    private final ServerSocket server;
    private final DataEndpoint to;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile boolean deaf;

    LossyProxy(DataEndpoint to) throws IOException {
        this.to = to;
        this.server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    DataEndpoint endpoint() {
        return new DataEndpoint("127.0.0.1", server.getLocalPort());
    }

    /** From now on the source hears nothing more, not even the end. */
    void deafen() {
        deaf = true;
    }

    /** Both ends see the link go. */
    void cut() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket source = server.accept();
                Socket destination = new Socket(to.host(), to.port());
                sockets.addAll(List.of(source, destination));
                Thread.ofVirtual().start(() -> pump(source, destination, false));
                Thread.ofVirtual().start(() -> pump(destination, source, true));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void pump(Socket from, Socket into, boolean back) {
        byte[] buffer = new byte[1 << 16];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = into.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (!(back && deaf)) {
                    out.write(buffer, 0, read);
                }
            }
            if (!(back && deaf)) {
                into.shutdownOutput();
            }
        } catch (IOException e) {
            // cut
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }
}
