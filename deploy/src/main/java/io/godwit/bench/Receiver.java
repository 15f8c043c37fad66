package io.godwit.bench;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.transport.IncomingConnection;
import io.godwit.agent.transport.IncomingListener;
import io.godwit.agent.transport.TransportSettings;
import io.godwit.stream.Answer;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamSink;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The receiving process of {@link Throughput}: prefaulted RAM, a port for each way, printed on one line; ends with its
 * standard input.
 */
final class Receiver {
    private Receiver() {}

    static void run(long bytes) throws IOException, GuestException {
        Config config = ConfigFactory.load();
        StreamSettings stream = StreamSettings.from(config);
        // platform threads: each of the two is in a system call most of its time
        try (ExecutorService threads = Executors.newCachedThreadPool();
                ServerSocketChannel plain = ServerSocketChannel.open()) {
            GuestMemory memory = Throughput.ram(config, bytes);
            InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            plain.bind(anyPort);
            threads.execute(() -> servePlain(plain));
            try (IncomingListener listener = IncomingListener.open(
                    anyPort,
                    TransportSettings.from(config),
                    threads,
                    (delay, action) -> () -> {},
                    connection -> receive(connection, stream, memory))) {
                int plainPort = ((InetSocketAddress) plain.getLocalAddress()).getPort();
                System.out.println(plainPort + " " + listener.address().getPort());
                while (System.in.read() >= 0) {
                    // the sender says nothing; it ends
                }
            }
        }
    }

    private static void servePlain(ServerSocketChannel server) {
        try {
            while (true) {
                Loopback.receive(server);
            }
        } catch (IOException e) {
            if (server.isOpen()) {
                System.err.println("plain receiver: " + e.getMessage());
            }
        }
    }

    private static void receive(IncomingConnection connection, StreamSettings settings, GuestMemory memory) {
        try (StreamReader reader = new StreamReader(connection.channel(), settings)) {
            reader.readPreamble();
            connection.identified();
            reader.answer(new Answer.Accepted());
            reader.receive(memory, new Nothing());
            reader.answer(new Answer.Loaded(false, 0));
        } catch (IOException e) {
            System.err.println("receiver: " + e.getMessage());
        }
    }

    private static final class Nothing implements StreamSink {
        @Override
        public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) {}

        @Override
        public void vcpu(int index, byte[] state) {}
    }
}
