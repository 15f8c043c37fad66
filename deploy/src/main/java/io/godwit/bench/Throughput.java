package io.godwit.bench;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.guest.GuestSettings;
import io.godwit.agent.guest.HostRam;
import io.godwit.agent.transport.TcpConnector;
import io.godwit.agent.transport.TransportSettings;
import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.stream.Answer;
import io.godwit.stream.Digests;
import io.godwit.stream.Pacer;
import io.godwit.stream.Preamble;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.MemoryPattern;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * How fast the migration stream moves an idle guest's RAM, all pages non-zero, over loopback into the prefaulted RAM of a
 * second process, in turn with a plain socket copy of the same bytes between the same processes. Three ways: the plain
 * copy, the stream as it is while the guest runs, and the stream as it is once the guest stands still. The goal is for
 * the slower of the two to reach 0.7 of the plain copy, in medians.
 */
public final class Throughput {
    private static final double GOAL = 0.7;
    private static final double GIB = 1L << 30;
    /** Rounds not counted: the just-in-time compiler is at work in them. */
    private static final int WARM_UP = 2;

    private final StreamSettings stream;
    private final TcpConnector connector;
    private final GuestMemory memory;
    private final ByteBuffer[] parts;
    private final DirtyBitmap pages;

    private Throughput(long bytes) throws GuestException {
        Config config = ConfigFactory.load();
        stream = StreamSettings.from(config);
        connector = new TcpConnector(TransportSettings.from(config));
        memory = ram(config, bytes);
        MemoryPattern.fill(memory, 0, bytes);
        pages = new DirtyBitmap(memory.pages());
        parts = new ByteBuffer[Math.toIntExact(bytes / Loopback.CHUNK_BYTES)];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = memory.buffer((long) i * Loopback.CHUNK_BYTES, Loopback.CHUNK_BYTES);
        }
    }

    /** Runs it; exits 0 when the goal is met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        ThroughputOptions options;
        try {
            options = ThroughputOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("throughput: " + e.getMessage() + "\n" + ThroughputOptions.USAGE);
            System.exit(2);
            return;
        }
        switch (options.role()) {
            case HELP -> System.out.println(ThroughputOptions.USAGE);
            case RECEIVE -> Receiver.run(options.bytes());
            case MEASURE -> {
                ThroughputResult result = new Throughput(options.bytes()).measure(options.bytes(), options.rounds());
                System.out.print(options.json() ? result.json(GOAL) : result.table(GOAL));
                System.exit(result.meets(GOAL) ? 0 : 1);
            }
        }
    }

    /** RAM as a native guest of this host would have it, touched; freed with the process. */
    static GuestMemory ram(Config config, long bytes) throws GuestException {
        return HostRam.map("bench", bytes, GuestSettings.from(config).hugePages(), true)
                .memory();
    }

    private ThroughputResult measure(long bytes, int rounds) throws IOException {
        Process receiver = new ProcessBuilder(command(bytes))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = receiver.inputReader(StandardCharsets.UTF_8)) {
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the receiving process ended before it listened");
            }
            String[] ports = line.split(" ", 2);
            int plainPort = Integer.parseInt(ports[0]);
            DataEndpoint endpoint = new DataEndpoint("127.0.0.1", Integer.parseInt(ports[1]));
            ThroughputResult result = new ThroughputResult(bytes, rounds);
            for (int round = -WARM_UP; round < rounds; round++) {
                double plain = gibPerSecond(() -> Loopback.send(plainPort, parts));
                double running = gibPerSecond(() -> migrate(endpoint, false));
                double stopped = gibPerSecond(() -> migrate(endpoint, true));
                if (round >= 0) {
                    result.add(plain, running, stopped);
                }
            }
            return result;
        } finally {
            receiver.destroy();
        }
    }

    private void migrate(DataEndpoint to, boolean stopped) throws IOException {
        pages.setAll();
        try (StreamWriter writer = new StreamWriter(connector.connect(to), stream, Pacer.parking(System::nanoTime))) {
            writer.preamble(new Preamble(
                    "bench", "idle", 1, GuestMemory.PAGE_SIZE, memory.bytes(), 1, "soft", List.of(), false));
            expect(writer, Answer.Accepted.class);
            RamSender sender = writer.sender(memory);
            long sent = stopped ? sender.sendStopped(pages, () -> false) : sender.send(pages, () -> false);
            writer.vcpu(0, new byte[0]);
            writer.end(Digests.NONE);
            expect(writer, Answer.Loaded.class);
            if (sent != memory.bytes()) {
                throw new IOException("sent " + sent + " page bytes; expected " + memory.bytes());
            }
        }
    }

    private static void expect(StreamWriter writer, Class<? extends Answer> expected) throws IOException {
        Answer answer = writer.readAnswer();
        if (!expected.isInstance(answer)) {
            throw new IOException("the receiver answered " + answer + "; expected " + expected.getSimpleName());
        }
    }

    private double gibPerSecond(Transfer transfer) throws IOException {
        long start = System.nanoTime();
        transfer.run();
        return memory.bytes() / GIB / ((System.nanoTime() - start) / 1e9);
    }

    private static List<String> command(long bytes) {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                Throughput.class.getName(),
                "receive",
                "--size",
                bytes + "B"));
        return command;
    }

    @FunctionalInterface
    private interface Transfer {
        void run() throws IOException;
    }
}
