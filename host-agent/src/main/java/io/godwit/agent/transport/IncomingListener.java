package io.godwit.agent.transport;

import io.godwit.stream.MigrationChannel;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Accepts migration streams over TCP and hands each to a handler on the executor. Until the handler calls {@link
 * IncomingConnection#identified()}, a connection is on probation: there are only so many of these (more are closed as
 * they come), each has only so much time, and {@link #close()} closes them.
 */
public final class IncomingListener implements Closeable {
    private final ServerSocketChannel server;
    private final InetSocketAddress address;
    private final TransportSettings settings;
    private final Executor executor;
    private final Timer timer;
    private final Consumer<IncomingConnection> handler;
    private final Set<Probation> unidentified = ConcurrentHashMap.newKeySet();
    private final AtomicLong turnedAway = new AtomicLong();
    private final AtomicLong timedOut = new AtomicLong();
    private volatile boolean closed;

    private IncomingListener(
            ServerSocketChannel server,
            TransportSettings settings,
            Executor executor,
            Timer timer,
            Consumer<IncomingConnection> handler)
            throws IOException {
        this.server = server;
        this.address = (InetSocketAddress) server.getLocalAddress();
        this.settings = settings;
        this.executor = executor;
        this.timer = timer;
        this.handler = handler;
    }

    /**
     * Binds and begins to accept.
     *
     * @param bind address, and port or 0 for any free one
     * @param executor runs the accept loop for as long as the listener lives, and each handler; both block
     * @throws IOException when the address cannot be bound, naming it
     */
    public static IncomingListener open(
            InetSocketAddress bind,
            TransportSettings settings,
            Executor executor,
            Timer timer,
            Consumer<IncomingConnection> handler)
            throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            // inherited by accepted sockets; the window scale is settled by the handshake
            if (settings.socketBufferBytes() > 0) {
                server.setOption(StandardSocketOptions.SO_RCVBUF, settings.socketBufferBytes());
            }
            server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            server.bind(bind);
            IncomingListener listener = new IncomingListener(server, settings, executor, timer, handler);
            executor.execute(listener::acceptLoop);
            return listener;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw new IOException("cannot listen on " + bind + ": " + e.getMessage(), e);
        }
    }

    /** Where it listens, the port settled. */
    public InetSocketAddress address() {
        return address;
    }

    /** Connections on probation now. */
    public int unidentified() {
        return unidentified.size();
    }

    /** Connections closed because too many were on probation. */
    public long turnedAway() {
        return turnedAway.get();
    }

    /** Connections closed because they did not identify themselves in time. */
    public long timedOut() {
        return timedOut.get();
    }

    /** Stops accepting and closes all connections on probation. Identified ones go on. */
    @Override
    public void close() throws IOException {
        closed = true;
        server.close();
        unidentified.forEach(Probation::end);
    }

    private void acceptLoop() {
        while (!closed) {
            SocketChannel socket;
            try {
                socket = server.accept();
            } catch (IOException e) {
                if (!closed) {
                    // out of descriptors, most likely: at once it would fail again
                    timer.after(settings.acceptRetryDelay(), () -> executor.execute(this::acceptLoop));
                }
                return;
            }
            if (unidentified.size() >= settings.unidentifiedMax()) {
                turnedAway.incrementAndGet();
                quietly(socket);
                continue;
            }
            try {
                admit(socket);
            } catch (IOException | RejectedExecutionException e) {
                // reset by the other side already, or no thread to serve it
                quietly(socket);
            }
        }
    }

    private void admit(SocketChannel socket) throws IOException {
        Probation probation = new Probation(new TcpChannel(socket));
        unidentified.add(probation);
        probation.begin();
        if (closed) {
            probation.end();
            return;
        }
        try {
            executor.execute(() -> handler.accept(probation));
        } catch (RejectedExecutionException e) {
            probation.end();
            throw e;
        }
    }

    private static void quietly(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            // being closed is all that is asked of it
        }
    }

    /** One connection until it is identified, timed out or closed, whichever is first; it is its own channel. */
    private final class Probation implements IncomingConnection, MigrationChannel {
        private final TcpChannel channel;
        private final AtomicBoolean over = new AtomicBoolean();
        private volatile Runnable cancelTimeout = () -> {};

        Probation(TcpChannel channel) {
            this.channel = channel;
        }

        void begin() {
            cancelTimeout = timer.after(settings.preambleTimeout(), () -> {
                if (leave()) {
                    timedOut.incrementAndGet();
                    quietly(channel);
                }
            });
            if (over.get()) {
                cancelTimeout.run();
            }
        }

        void end() {
            if (leave()) {
                quietly(channel);
            }
        }

        private boolean leave() {
            if (!over.compareAndSet(false, true)) {
                return false;
            }
            unidentified.remove(this);
            cancelTimeout.run();
            return true;
        }

        @Override
        public MigrationChannel channel() {
            return this;
        }

        @Override
        public boolean identified() {
            return leave();
        }

        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) throws IOException {
            channel.write(buffers, offset, length);
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return channel.read(into);
        }

        @Override
        public String peer() {
            return channel.peer();
        }

        @Override
        public void close() throws IOException {
            leave();
            channel.close();
        }
    }
}
