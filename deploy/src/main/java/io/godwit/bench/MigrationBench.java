package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.OptionsBody;
import io.godwit.api.VmBody;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.proto.migration.MigrationView;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.MemoryPattern;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One whole migration of an idle guest with all pages non-zero, between two agents and a coordinator as real processes,
 * in turn with a plain socket copy of the same bytes between two processes: GiB/s of both, and the standstill with its
 * parts, without and with {@code verify}. The rate of a migration is the VM's RAM over pre-copy and standstill together.
 */
public final class MigrationBench {
    /** More than the digests of all RAM take on slow cores: what is measured is how long, not whether somebody can bear it. */
    private static final long STANDSTILL_LIMIT_MS = 10_000;

    private static final double GOAL = 0.5;
    private static final double GIB = 1L << 30;
    /** Rounds not counted: the just-in-time compiler is at work in them. */
    private static final int WARM_UP = 1;

    private final BenchMoves moves;
    private final long bytes;
    private final String guest;
    private int made;

    private MigrationBench(BenchMoves moves, long bytes, String guest) {
        this.moves = moves;
        this.bytes = bytes;
        this.guest = guest;
    }

    /** Runs it; exits 0 when the goal is met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        MigrationBenchOptions options;
        try {
            options = MigrationBenchOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("migration: " + e.getMessage() + "\n" + MigrationBenchOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(MigrationBenchOptions.USAGE);
            return;
        }
        MigrationBenchResult result = measure(options);
        System.out.print(options.json() ? json(result) : result.table(GOAL));
        System.exit(result.meets(GOAL) ? 0 : 1);
    }

    private static MigrationBenchResult measure(MigrationBenchOptions options) throws Exception {
        Config config = ConfigFactory.load();
        long bytes = options.bytes();
        GuestMemory memory = Throughput.ram(config, bytes);
        MemoryPattern.fill(memory, 0, bytes);
        ByteBuffer[] parts = new ByteBuffer[Math.toIntExact(bytes / Loopback.CHUNK_BYTES)];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = memory.buffer((long) i * Loopback.CHUNK_BYTES, Loopback.CHUNK_BYTES);
        }
        Path folder = BenchFolder.make();
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        MigrationBenchResult result = new MigrationBenchResult(bytes, options.guest());
        Process receiver = new ProcessBuilder(receiverCommand(bytes))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = receiver.inputReader(StandardCharsets.UTF_8);
                DemoFleet fleet =
                        new DemoFleet(folder, DemoSettings.of(config), flags, System.getProperty("java.class.path"))) {
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the receiving process ended before it listened");
            }
            int plainPort = Integer.parseInt(line.split(" ", 2)[0]);
            BenchMoves moves = new BenchMoves(fleet.start(new DemoOptions(2, 1, bytes, options.guest())));
            moves.awaitHosts(2);
            MigrationBench bench = new MigrationBench(moves, bytes, options.guest());
            for (int round = -WARM_UP; round < options.rounds(); round++) {
                long began = System.nanoTime();
                Loopback.send(plainPort, parts);
                double plain = bytes / GIB / ((System.nanoTime() - began) / 1e9);
                MigrationView without = bench.migrate(false);
                MigrationView with = bench.migrate(true);
                if (round >= 0) {
                    result.add(plain, without, with);
                }
            }
        } catch (Exception e) {
            System.err.println("migration: logs are in " + folder);
            throw e;
        } finally {
            receiver.destroy();
        }
        BenchFolder.delete(folder);
        return result;
    }

    /** Creates a VM on host-1, moves it to host-2, and destroys it there. */
    private MigrationView migrate(boolean verify) throws IOException {
        String vm = "bench-" + ++made;
        moves.create(new VmBody(
                vm, "host-1", guest, bytes, 1, new VmBody.Workload(0L, 0L, true), List.of(), STANDSTILL_LIMIT_MS));
        MigrationView view =
                moves.migrate(vm, "host-2", new OptionsBody(STANDSTILL_LIMIT_MS, verify, null, null), _ -> {});
        moves.destroy(vm);
        return view;
    }

    private static List<String> receiverCommand(long bytes) {
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

    private static String json(MigrationBenchResult result) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode document = result.document(mapper, GOAL);
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(document) + "\n";
    }
}
