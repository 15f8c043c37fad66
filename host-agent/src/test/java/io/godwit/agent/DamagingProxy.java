package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Stands between source and destination of one stream: flips a bit of the byte at a chosen place on the way there, cuts
 * the connection there, or takes nothing more from there on.
 */
final class DamagingProxy implements AutoCloseable {
    enum Fault {
        FLIP,
        CUT,
        /** Nothing is taken from the source any more; the connection stays. */
        STALL
    }

    private final ServerSocket server;
    private final Executor executor;
    private final DataEndpoint to;
    private final long at;
    private final Fault fault;
    private final CountDownLatch stalled = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

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
                if (fault == Fault.STALL) {
                    stalled.countDown();
                    awaitClosed();
                    return;
                }
                buffer[(int) (at - passed)] ^= 0x10;
            }
            out.write(buffer, 0, read);
            passed += read;
        }
    }

    /** Returns once a stall has begun. */
    void awaitStalled() throws InterruptedException {
        assertThat(stalled.await(TwoHosts.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as("the stream got as far as the stall")
                .isTrue();
    }

    private void awaitClosed() throws IOException {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("stopped");
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
        closed.countDown();
        server.close();
    }
}
