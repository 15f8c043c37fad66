package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.VmBody;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.proto.migration.MigrationView;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

/**
 * What a switchover costs beside its bytes: a small idle guest goes back and forth between two agents under a coordinator
 * with its ledger on disk, all of them real processes that have just started. Nothing is left out: an operator meets the
 * first migrations, too.
 */
public final class SwitchoverBench {
    private static final String VM = "bench";
    private static final long KIB = 1L << 10;

    private SwitchoverBench() {}

    /** Runs it; exits 0 when the goal is met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        SwitchoverBenchOptions options;
        try {
            options = SwitchoverBenchOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("switchover: " + e.getMessage() + "\n" + SwitchoverBenchOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(SwitchoverBenchOptions.USAGE);
            return;
        }
        SwitchoverBenchResult result = measure(options);
        System.out.print(options.json() ? json(result) : result.table());
        System.exit(result.meetsGoal() ? 0 : 1);
    }

    private static SwitchoverBenchResult measure(SwitchoverBenchOptions options) throws Exception {
        Path folder = BenchFolder.make();
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        SwitchoverBenchResult result = new SwitchoverBenchResult(options);
        try (DemoFleet fleet = new DemoFleet(
                folder, DemoSettings.of(ConfigFactory.load()), flags, System.getProperty("java.class.path"))) {
            BenchMoves moves = new BenchMoves(fleet.start(new DemoOptions(2, 1, options.bytes(), options.guest())));
            moves.awaitHosts(2);
            moves.create(new VmBody(
                    VM,
                    "host-1",
                    options.guest(),
                    options.bytes(),
                    1,
                    new VmBody.Workload(0L, 0L, false),
                    options.devices().stream()
                            .map(model -> new VmBody.Device(model + "0", model, null, 64 * KIB, 0L, 16 * KIB, 0L, null))
                            .toList(),
                    null));
            for (int round = 0; round < options.rounds(); round++) {
                MigrationView view = moves.migrate(VM, round % 2 == 0 ? "host-2" : "host-1", options.verify());
                result.add(view.driver(), view.downtime(), view.stats().predictedDowntimeMicros());
            }
        } catch (Exception e) {
            System.err.println("switchover: logs are in " + folder);
            throw e;
        }
        BenchFolder.delete(folder);
        return result;
    }

    private static String json(SwitchoverBenchResult result) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(result.document(mapper)) + "\n";
    }
}
