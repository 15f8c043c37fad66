package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.OptionsBody;
import io.godwit.api.VmBody;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.proto.migration.MigrationView;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Whether the standstill that is promised when a migration asks to switch over is the one that follows: over reporting
 * policy, dirty rate and pinned memory, between two agents under a coordinator, all of them real processes. Rows with
 * {@code STOP_COPY_ONLY} are there to be compared: their pinned pages are hidden until the stop.
 */
public final class DowntimeBench {
    static final long RAM_MIB = 512;
    static final long STATE_MIB = 4;

    private static final String VM = "bench";
    private static final long MIB = 1L << 20;
    private static final long WORKING_SET_MIB = 64;
    private static final long DMA_MIB_PER_SECOND = 32;
    /** Enough for whatever is measured, so that no row is refused for its pinned memory. */
    private static final long LIMIT_MS = 10_000;

    private static final List<String> POLICIES = List.of("PERSISTENT", "HARDWARE_TRACKED", "STOP_COPY_ONLY");
    private static final List<Long> DIRTY_MIB = List.of(0L, 20L, 200L);
    private static final List<Long> PINNED_MIB = List.of(0L, 64L, 256L);

    private DowntimeBench() {}

    /** Runs it; exits 0 when the goal is met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        DowntimeBenchOptions options;
        try {
            options = DowntimeBenchOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("downtime: " + e.getMessage() + "\n" + DowntimeBenchOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(DowntimeBenchOptions.USAGE);
            return;
        }
        DowntimeBenchResult result = measure(options);
        System.out.print(options.json() ? json(result) : result.table(options.parts()));
        System.exit(result.meetsGoal() ? 0 : 1);
    }

    private static DowntimeBenchResult measure(DowntimeBenchOptions options) throws Exception {
        Path folder = BenchFolder.make();
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        List<DowntimeCell> cells = grid(options.quick());
        String guest = options.guest();
        boolean ownCores = false;
        try (DemoFleet fleet = new DemoFleet(
                folder, DemoSettings.of(ConfigFactory.load()), flags, System.getProperty("java.class.path"))) {
            // twice the memory: the next guest is created while the last one's memory may still be being freed
            BenchMoves moves = new BenchMoves(fleet.start(new DemoOptions(2, 2, RAM_MIB * MIB, options.guest())));
            moves.awaitHosts(2);
            if (!options.sharedCores()) {
                ownCores = OwnCores.give(
                        List.of(fleet.pid("host-1"), fleet.pid("host-2")),
                        Runtime.getRuntime().availableProcessors());
            }
            measure(moves, new DowntimeCell("PERSISTENT", 20, 64), options, options.warmUp());
            List<DowntimeCell> order = new ArrayList<>(cells);
            Collections.shuffle(order, new Random(options.seed()));
            for (DowntimeCell cell : order) {
                guest = measure(moves, cell, options, options.runs());
            }
        } catch (Exception e) {
            System.err.println("downtime: logs are in " + folder);
            throw e;
        }
        BenchFolder.delete(folder);
        return new DowntimeBenchResult(guest, options.verify(), options.link(), ownCores, cells);
    }

    private static List<DowntimeCell> grid(boolean quick) {
        List<DowntimeCell> cells = new ArrayList<>();
        for (String policy : POLICIES) {
            for (long dirty : DIRTY_MIB) {
                for (long pinned : PINNED_MIB) {
                    if (!quick || (dirty != DIRTY_MIB.get(1) && pinned != PINNED_MIB.get(1))) {
                        cells.add(new DowntimeCell(policy, dirty, pinned));
                    }
                }
            }
        }
        return cells;
    }

    /** Back and forth, the first time uncounted. Returns the guest driver. */
    private static String measure(BenchMoves moves, DowntimeCell cell, DowntimeBenchOptions options, int runs)
            throws IOException {
        moves.create(new VmBody(
                VM,
                "host-1",
                options.guest(),
                RAM_MIB * MIB,
                1,
                new VmBody.Workload(
                        cell.dirtyMibPerSecond == 0 ? 0 : WORKING_SET_MIB * MIB, cell.dirtyMibPerSecond * MIB, true),
                List.of(new VmBody.Device(
                        "gpu0",
                        "gpu",
                        null,
                        STATE_MIB * MIB,
                        MIB,
                        cell.pinnedMib * MIB,
                        cell.pinnedMib == 0 ? 0 : DMA_MIB_PER_SECOND * MIB,
                        cell.policy)),
                LIMIT_MS,
                null,
                null,
                null));
        OptionsBody body = new OptionsBody(LIMIT_MS, options.verify(), null, null, null, null);
        String driver = "";
        for (int run = 0; run <= runs; run++) {
            MigrationView view = moves.migrate(VM, run % 2 == 0 ? "host-2" : "host-1", body, progress -> {
                if (!progress.trustworthy()) {
                    cell.flag();
                }
            });
            driver = view.driver();
            if (run > 0) {
                cell.add(new DowntimeCell.Standstill(view.stats().predictedDowntimeMicros(), view.downtime()));
            }
        }
        moves.destroy(VM);
        return driver;
    }

    private static String json(DowntimeBenchResult result) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(result.document(mapper)) + "\n";
    }
}
