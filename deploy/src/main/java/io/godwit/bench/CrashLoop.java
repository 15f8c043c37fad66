package io.godwit.bench;

import com.typesafe.config.ConfigFactory;
import io.godwit.cli.ApiClient;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoNetwork;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Does harm to the processes of a fleet while VMs are moved, round after round ({@link CrashRounds}): at drawn moments, at named
 * points, or by cutting them off from each other.
 */
public final class CrashLoop {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    private static final Duration IMPATIENT_MAX = Duration.ofMillis(500);
    private static final Duration CONNECT_MAX = Duration.ofMillis(500);
    private static final long MEMORY = 32L << 20;

    private CrashLoop() {}

    /** Runs it; exits 0 when nothing ran twice, was lost or got stuck, 1 when something did, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        CrashLoopOptions options;
        try {
            options = CrashLoopOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("crash-loop: " + e.getMessage() + "\n" + CrashLoopOptions.USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(CrashLoopOptions.USAGE);
            return;
        }
        Path folder = BenchFolder.make();
        boolean good = false;
        try {
            Optional<Namespaces> network =
                    options.cuts() ? Optional.of(Namespaces.make(names(options))) : Optional.empty();
            good = run(options, folder, network);
        } finally {
            if (good && !options.keep()) {
                BenchFolder.delete(folder);
            } else {
                System.err.println("crash-loop: logs are in " + folder);
            }
        }
        System.exit(good ? 0 : 1);
    }

    private static List<String> names(CrashLoopOptions options) {
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= options.coordinators(); i++) {
            names.add("coordinator-" + i);
        }
        names.addAll(options.hostNames());
        return names;
    }

    private static boolean run(CrashLoopOptions options, Path folder, Optional<Namespaces> network)
            throws IOException, InterruptedException, SQLException {
        try (DemoFleet processes = new DemoFleet(
                folder,
                DemoSettings.of(ConfigFactory.load()),
                ManagementFactory.getRuntimeMXBean().getInputArguments(),
                System.getProperty("java.class.path"),
                network.<DemoNetwork>map(it -> it).orElse(DemoNetwork.LOOPBACK))) {
            var _ = processes.start(
                    new DemoOptions(options.hosts(), options.vms(), MEMORY, "auto", options.coordinators()));
            CrashFleet fleet = new CrashFleet(
                    client(processes, processes.coordinators(), ANSWER_MAX),
                    client(processes, processes.coordinators(), IMPATIENT_MAX),
                    processes.coordinators().stream()
                            .map(one -> client(processes, List.of(one), ANSWER_MAX))
                            .toList());
            fleet.populate(options.hostNames(), options.vms());
            if (network.isPresent()) {
                Cuts cuts = new Cuts(processes, network.get(), options.hostNames());
                return new CrashRounds(options, processes, fleet, Optional.empty(), Optional.of(cuts)).run();
            }
            if (options.points().isEmpty()) {
                return new CrashRounds(options, processes, fleet, Optional.empty(), Optional.empty()).run();
            }
            try (LedgerHold ledger = new LedgerHold(processes.storeUrl())) {
                Points points =
                        new Points(processes, ledger, options.points().get().equals("kill"));
                return new CrashRounds(options, processes, fleet, Optional.of(points), Optional.empty()).run();
            }
        }
    }

    /** Does not wait for long for what was asked of a coordinator that is dead by now, or cut off. */
    private static ApiClient client(DemoFleet processes, List<String> coordinators, Duration answerMax) {
        return new ApiClient(
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(CONNECT_MAX)
                        .build(),
                coordinators.stream().map(processes::url).collect(Collectors.joining(",")),
                answerMax);
    }
}
