package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.OptionsBody;
import io.godwit.api.QemuBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.proto.vm.QemuSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What Godwit adds to QEMU's own migration, and how good its word is: the standstill that it promises beside the one that QEMU
 * expects, both as last said before the VM was stopped, and both beside the one that was; and how long a migration takes
 * through Godwit beside the same one by hand. Over agents and a coordinator that are real processes.
 *
 * <p>Measured is from the STOP event of the source's QEMU to the RESUME event of the destination's.
 */
public final class QemuBench {
    private static final long MIB = 1L << 20;
    private static final long GUEST_BYTES = 256 * MIB;
    /** One page a second: the least that the workload can do. */
    private static final long IDLE_BYTES_PER_SECOND = 4096;

    private static final int CORES = Runtime.getRuntime().availableProcessors();

    /** More than a standstill may take: an emulated guest stands for all of its copying. */
    private static final long EMULATED_LIMIT_MS = 20_000;

    private QemuBench() {}

    /** A guest of the first part. A working set of 0 is nearly all of its memory. */
    private record Kind(String name, long workingSetBytes, long dirtyBytesPerSecond) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("idle", 0, IDLE_BYTES_PER_SECOND),
            new Kind("slow", 64 * MIB, 4 * MIB),
            new Kind("fast", 64 * MIB, 64 * MIB));

    /** Runs it; exits 0 when the goals are met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        QemuBenchOptions options;
        try {
            options = QemuBenchOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("qemu: " + e.getMessage() + "\n" + QemuBenchOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(QemuBenchOptions.USAGE);
            return;
        }
        QemuBenchResult result = measure(options);
        System.out.print(options.json() ? json(result) : result.table());
        System.exit(result.meetsGoals() ? 0 : 1);
    }

    private static QemuBenchResult measure(QemuBenchOptions options) throws Exception {
        Path folder = BenchFolder.make();
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        QemuBenchResult result = new QemuBenchResult(options);
        try {
            for (int i = 0; i < options.fleets(); i++) {
                Path hosts = Files.createDirectory(folder.resolve("f" + i));
                try (DemoFleet fleet = new DemoFleet(
                        hosts, DemoSettings.of(ConfigFactory.load()), flags, System.getProperty("java.class.path"))) {
                    // room for a copy that arrives while the one before it is still being freed
                    ApiClient client =
                            fleet.start(new DemoOptions(2, 3, Math.max(GUEST_BYTES, options.bytes()), QemuSpec.DRIVER));
                    new BenchMoves(client).awaitHosts(2);
                    List<Kind> order = new ArrayList<>(KINDS);
                    // another kind has the first migrations each time
                    Collections.rotate(order, -i);
                    boolean first = true;
                    for (Kind kind : order) {
                        standstills(client, hosts, kind, first, options, result);
                        first &= options.rounds() == 0;
                    }
                    if (i == options.fleets() - 1 && options.pairs() > 0) {
                        boolean ownCores = !options.sharedCores()
                                && OwnCores.give(List.of(fleet.pid("host-1"), fleet.pid("host-2")), CORES);
                        result.ownCores(ownCores);
                        times(client, hosts, folder.resolve("hand"), ownCores, options, result);
                    }
                }
            }
        } catch (Exception e) {
            System.err.println("qemu: logs are in " + folder);
            throw e;
        }
        BenchFolder.delete(folder);
        return result;
    }

    /** {@code first}: the agents have moved nothing yet, so that the first move in each direction has nothing learnt. */
    private static void standstills(
            ApiClient client, Path hosts, Kind kind, boolean first, QemuBenchOptions options, QemuBenchResult result)
            throws IOException, InterruptedException {
        if (options.rounds() == 0) {
            return;
        }
        create(client, kind, GUEST_BYTES, options, false);
        try (QemuMoves moves = new QemuMoves(client, hosts, kind.name(), limits(options))) {
            QemuHand.awaitBooted(moves.folder().resolve("serial.log"));
            for (int round = 0; round < options.rounds(); round++) {
                QemuMoves.Moved moved = moves.move();
                result.add(QemuStandstill.of(kind.name(), first && round < 2, moved.view(), moved.run()));
            }
        }
        client.delete(ApiClient.path("vms", kind.name()));
    }

    /** In turn: while one guest is migrated, the other stands and leaves it the processor. */
    private static void times(
            ApiClient client,
            Path hosts,
            Path folder,
            boolean ownCores,
            QemuBenchOptions options,
            QemuBenchResult result)
            throws IOException, InterruptedException {
        Kind filled = new Kind("filled", 0, IDLE_BYTES_PER_SECOND);
        create(client, filled, options.bytes(), options, true);
        try (QemuMoves moves = new QemuMoves(client, hosts, filled.name(), limits(options))) {
            QemuHand.awaitBooted(moves.folder().resolve("serial.log"));
            long pid = Long.parseLong(
                    Files.readString(moves.folder().resolve("pid")).strip());
            try (QemuHand hand = new QemuHand(pid, moves.folder(), folder, ownCores ? CORES : 0)) {
                moves.runs(false);
                hand.boot();
                for (int pair = 0; pair <= options.pairs(); pair++) {
                    QemuRun byHand = hand.migrate();
                    hand.runs(false);
                    moves.runs(true);
                    QemuRun through = moves.move().run();
                    moves.runs(false);
                    hand.runs(true);
                    // the first of each is not counted: its code is compiled while it runs
                    if (pair > 0) {
                        result.add(through, byHand);
                    }
                }
            }
            moves.runs(true);
        }
        client.delete(ApiClient.path("vms", filled.name()));
    }

    /**
     * @param touched whether QEMU gets all of its memory from the host when it starts: how long the host takes for that when
     *     RAM arrives may differ threefold from one QEMU to the next, and is no part of what is compared
     */
    private static void create(ApiClient client, Kind kind, long bytes, QemuBenchOptions options, boolean touched) {
        List<String> arguments = new ArrayList<>(QemuMoves.ARGUMENTS);
        if (touched) {
            arguments.add("-mem-prealloc");
        }
        client.post(
                ApiClient.path("vms"),
                new VmBody(
                        kind.name(),
                        "host-1",
                        QemuSpec.DRIVER,
                        bytes,
                        1,
                        new VmBody.Workload(kind.workingSetBytes(), kind.dirtyBytesPerSecond(), false),
                        List.of(),
                        limits(options).downtimeLimitMs(),
                        null,
                        null,
                        new QemuBody(
                                null,
                                options.accelerator(),
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                List.copyOf(arguments),
                                QemuSpec.BOOT_SECTOR,
                                null)));
    }

    /** What every migration here is asked for with. */
    private static OptionsBody limits(QemuBenchOptions options) {
        boolean emulated = options.accelerator().equals("tcg")
                || (options.accelerator().equals("auto") && !Files.isWritable(Path.of("/dev/kvm")));
        return emulated ? new OptionsBody(EMULATED_LIMIT_MS, null, null, null) : OptionsBody.NONE;
    }

    private static String json(QemuBenchResult result) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(result.document(mapper)) + "\n";
    }
}
