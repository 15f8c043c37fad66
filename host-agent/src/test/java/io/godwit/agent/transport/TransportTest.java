package io.godwit.agent.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.ConfigFactory;
import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.stream.Answer;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.Digests;
import io.godwit.stream.MigrationChannel;
import io.godwit.stream.Pacer;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamSink;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.MemoryPattern;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TransportTest {
    private static final TransportSettings SETTINGS =
            new TransportSettings(1 << 20, Duration.ofSeconds(2), 2, Duration.ofSeconds(5), Duration.ofMillis(1));

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Queue<Runnable> timeouts = new ConcurrentLinkedQueue<>();
    private final BlockingQueue<IncomingConnection> incoming = new LinkedBlockingQueue<>();
    private final TcpConnector connector = new TcpConnector(SETTINGS);

    @AfterEach
    void stopThreads() {
        threads.shutdownNow();
    }

    private IncomingListener listen() throws IOException {
        Timer timer = (delay, action) -> {
            timeouts.add(action);
            return () -> timeouts.remove(action);
        };
        return IncomingListener.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), SETTINGS, threads, timer, incoming::add);
    }

    private MigrationChannel connect(IncomingListener listener) throws IOException {
        return connector.connect(
                new DataEndpoint("127.0.0.1", listener.address().getPort()));
    }

    private IncomingConnection accepted() throws InterruptedException {
        IncomingConnection connection = incoming.poll(10, TimeUnit.SECONDS);
        assertThat(connection).isNotNull();
        return connection;
    }

    private static int read(MigrationChannel channel) throws IOException {
        return channel.read(ByteBuffer.allocate(1));
    }

    @Test
    void theDefaultsReadAndAStreamOverThemArrives() throws Exception {
        var config = ConfigFactory.load();
        StreamSettings stream = StreamSettings.from(config);
        assertThat(TransportSettings.from(config).connectTimeout()).isEqualTo(Duration.ofSeconds(5));
        try (Arena arena = Arena.ofShared();
                IncomingListener listener = listen();
                StreamWriter writer = new StreamWriter(connect(listener), stream, Pacer.parking(System::nanoTime))) {
            GuestMemory source = new GuestMemory(arena.allocate(64 << 20, 4096));
            GuestMemory target = new GuestMemory(arena.allocate(64 << 20, 4096));
            MemoryPattern.fill(source, 1 << 20, 40 << 20);
            Future<Digests> received = threads.submit(() -> {
                try (StreamReader reader = new StreamReader(accepted().channel(), stream)) {
                    reader.readPreamble();
                    Digests digests = reader.receive(target, new NoState());
                    reader.answer(new Answer.Loaded(false, 0));
                    return digests;
                }
            });
            writer.preamble(new Preamble("m", "v", 1, 4096, source.bytes(), 1, "soft", List.of(), false));
            DirtyBitmap all = new DirtyBitmap(source.pages());
            all.setAll();
            writer.sender(source).send(all, () -> false);
            writer.vcpu(0, new byte[1]);
            writer.end(Digests.NONE);
            assertThat(writer.readAnswer()).isEqualTo(new Answer.Loaded(false, 0));
            assertThat(received.get()).isEqualTo(Digests.NONE);
            assertThat(source.segment().mismatch(target.segment())).isEqualTo(-1);
            assertThat(writer.zeroPages()).isEqualTo(24 << 8);
        }
    }

    @Test
    void connectingToAClosedPortSaysRefusedAndToAnUnknownHostSaysSo() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        assertThatThrownBy(() -> connector.connect(new DataEndpoint("127.0.0.1", port)))
                .isInstanceOf(IOException.class)
                .hasMessage("cannot connect to 127.0.0.1:" + port + ": refused");
        assertThatThrownBy(() -> connector.connect(new DataEndpoint("nowhere.invalid", 1)))
                .isInstanceOf(IOException.class)
                .hasMessage("cannot connect to nowhere.invalid:1: unknown host");
        assertThatThrownBy(() -> connector.connect(new DataEndpoint("127.0.0.1", 70_000)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("cannot connect to 127.0.0.1:70000: port out of range");
    }

    @Test
    void aConnectionThatDoesNotIdentifyItselfInTimeIsClosed() throws Exception {
        try (IncomingListener listener = listen();
                MigrationChannel source = connect(listener)) {
            IncomingConnection connection = accepted();
            assertThat(listener.unidentified()).isEqualTo(1);
            Runnable timeout = timeouts.remove();
            timeout.run();
            assertThat(read(source)).isEqualTo(-1);
            assertThat(connection.identified()).isFalse();
            assertThat(listener.timedOut()).isEqualTo(1);
            assertThat(listener.unidentified()).isZero();
        }
    }

    @Test
    void anIdentifiedConnectionOutlivesItsTimeoutAndTheListener() throws Exception {
        IncomingListener listener = listen();
        try (MigrationChannel source = connect(listener)) {
            IncomingConnection connection = accepted();
            assertThat(connection.identified()).isTrue();
            assertThat(timeouts).isEmpty();
            assertThat(listener.unidentified()).isZero();
            listener.close();
            source.write(new ByteBuffer[] {ByteBuffer.wrap(new byte[] {1, 2})}, 0, 1);
            assertThat(read(connection.channel())).isEqualTo(1);
            connection.channel().close();
        }
    }

    @Test
    void tooManyUnidentifiedConnectionsAreTurnedAwayUntilOneIsIdentified() throws Exception {
        try (IncomingListener listener = listen();
                MigrationChannel first = connect(listener);
                MigrationChannel second = connect(listener)) {
            IncomingConnection one = accepted();
            IncomingConnection two = accepted();
            try (MigrationChannel third = connect(listener)) {
                assertThat(read(third)).isEqualTo(-1);
            }
            assertThat(listener.turnedAway()).isEqualTo(1);
            one.identified();
            try (MigrationChannel fourth = connect(listener)) {
                assertThat(accepted()).isNotNull();
                assertThat(fourth.peer())
                        .isEqualTo("127.0.0.1:" + listener.address().getPort());
            }
            one.channel().close();
            two.channel().close();
            assertThat(first.peer()).isEqualTo(second.peer());
        }
    }

    @Test
    void closingStopsListeningAndClosesUnidentifiedConnections() throws Exception {
        IncomingListener listener = listen();
        try (MigrationChannel source = connect(listener)) {
            IncomingConnection connection = accepted();
            listener.close();
            assertThat(read(source)).isEqualTo(-1);
            assertThat(connection.identified()).isFalse();
            // the accept loop lets the port go when it wakes
            await().untilAsserted(
                            () -> assertThatThrownBy(() -> connect(listener)).hasMessageContaining("refused"));
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (IncomingListener listener = listen()) {
            assertThatThrownBy(() -> IncomingListener.open(
                            listener.address(), SETTINGS, threads, (delay, action) -> action, incoming::add))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot listen on")
                    .hasMessageContaining(":" + listener.address().getPort() + ": Address already in use");
        }
    }

    private static final class NoState implements StreamSink {
        @Override
        public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) {}

        @Override
        public void vcpu(int index, byte[] state) {}
    }
}
