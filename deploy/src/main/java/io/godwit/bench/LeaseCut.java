package io.godwit.bench;

import com.typesafe.config.ConfigFactory;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.cli.CliFailure;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.demo.RunLog;
import io.godwit.demo.RunLog.Interval;
import io.godwit.fleet.VmHistory;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Leases over real processes and networks: three coordinators, three hosts, each in a network of its own. First the coordinator
 * that lends dies, and a VM under a lease must not notice; then the VM's host is cut off, and the VM must run elsewhere and
 * never on both; then the cut heals, and the host must have destroyed what it lost. See {@code deploy/bench/lease-cut}.
 */
public final class LeaseCut {
    private static final long MIB = 1L << 20;
    private static final Duration ANSWER_MAX = Duration.ofSeconds(20);
    private static final Duration CONNECT_MAX = Duration.ofSeconds(1);
    private static final long POLL_MS = 100;

    /** Longer than a lease, a failover and the cluster's verdicts one after the other. */
    private static final long LIMIT_MS = 120_000;

    private static final String LEASED = "leased";
    private static final String LEFT = "left";
    private static final List<String> HOSTS = List.of("host-1", "host-2", "host-3");
    private static final List<String> COORDINATORS = List.of("coordinator-1", "coordinator-2", "coordinator-3");

    private final DemoFleet processes;
    private final Namespaces network;
    private final ApiClient client;

    private LeaseCut(DemoFleet processes, Namespaces network, ApiClient client) {
        this.processes = processes;
        this.network = network;
        this.client = client;
    }

    /** Runs it; exits 0 when all held, 1 with the reason when something did not. */
    public static void main(String[] args) throws Exception {
        Path folder = BenchFolder.make();
        List<String> names = new ArrayList<>(COORDINATORS);
        names.addAll(HOSTS);
        Namespaces network = Namespaces.make(names);
        Optional<String> wrong;
        try (DemoFleet processes = new DemoFleet(
                folder,
                DemoSettings.of(ConfigFactory.load()),
                ManagementFactory.getRuntimeMXBean().getInputArguments(),
                System.getProperty("java.class.path"),
                network)) {
            var _ = processes.start(new DemoOptions(HOSTS.size(), 3, 64 * MIB, "auto", COORDINATORS.size()));
            ApiClient client = new ApiClient(
                    HttpClient.newBuilder()
                            .version(HttpClient.Version.HTTP_1_1)
                            .connectTimeout(CONNECT_MAX)
                            .build(),
                    COORDINATORS.stream().map(processes::url).collect(Collectors.joining(",")),
                    ANSWER_MAX);
            wrong = new LeaseCut(processes, network, client).run();
        }
        if (wrong.isEmpty()) {
            BenchFolder.delete(folder);
            System.out.println("held");
            return;
        }
        System.err.println("lease-cut: " + wrong.get() + "; logs are in " + folder);
        System.exit(1);
    }

    private Optional<String> run() throws IOException, InterruptedException {
        await(
                "all hosts are up",
                () -> hosts().stream()
                                .filter(host -> host.state().equals("UP")
                                        && host.inventory().isPresent())
                                .count()
                        == HOSTS.size());
        create(LEASED, VmSpec.RESTART);
        create(LEFT, VmSpec.LEAVE);
        await(LEASED + " runs", () -> runsWell(LEASED));
        await(LEFT + " runs", () -> runsWell(LEFT));

        long killed = System.nanoTime();
        processes.kill(COORDINATORS.getFirst());
        await("another VM has a lease", () -> {
            if (show("second").isEmpty()) {
                create("second", VmSpec.RESTART);
            }
            return runsWell("second");
        });
        say("the first coordinator was killed; another lends after %.1f s", killed);
        processes.restart(COORDINATORS.getFirst());
        await(LEASED + " runs", () -> runsWell(LEASED));
        if (intervals(HOSTS.getFirst(), LEASED).size() != 1) {
            return Optional.of(LEASED + " stood still when a coordinator died");
        }

        long cut = System.nanoTime();
        List<String> host = List.of(HOSTS.getFirst());
        List<String> others = new ArrayList<>(COORDINATORS);
        others.addAll(HOSTS.subList(1, HOSTS.size()));
        network.cut(host, others);
        await(
                LEASED + " runs elsewhere",
                () -> runsWell(LEASED)
                        && show(LEASED)
                                .flatMap(VmView::host)
                                .filter(HOSTS.getFirst()::equals)
                                .isEmpty());
        Interval anew = last(show(LEASED).flatMap(VmView::host).orElseThrow());
        Interval there = last(HOSTS.getFirst());
        System.out.printf(
                "its host was cut off; it stood there after %.1f s, and ran elsewhere after %.1f s%n",
                (there.toNanos() - cut) / 1e9, (anew.fromNanos() - cut) / 1e9);
        network.heal(host, others);
        long healed = System.nanoTime();
        await(
                "the host is back with what is its own",
                () -> hosts().stream()
                        .anyMatch(one -> one.host().equals(HOSTS.getFirst())
                                && one.state().equals("UP")
                                && one.inventory().orElseThrow().vms().stream()
                                        .noneMatch(vm -> vm.spec().name().equals(LEASED))));
        say("the cut was healed; the host was back and had let go after %.1f s", healed);
        client.view(client.get(ApiClient.path("vms", LEASED, "history")), VmHistory.class)
                .owners()
                .forEach(owner -> System.out.println(
                        "  " + owner.host().orElse("nobody") + ", epoch " + owner.epoch() + ": " + owner.why()));

        RunLog logs = new RunLog();
        for (String each : HOSTS) {
            logs.read(each, processes.runLog(each));
        }
        if (intervals(HOSTS.getFirst(), LEFT).size() != 1) {
            return Optional.of(LEFT + " stood still");
        }
        return logs.overlap().or(logs::staleEpoch);
    }

    private void say(String what, long sinceNanos) {
        System.out.printf(what + "%n", (System.nanoTime() - sinceNanos) / 1e9);
    }

    private void await(String what, BooleanSupplier holds) throws IOException {
        long began = System.nanoTime();
        while (true) {
            try {
                if (holds.getAsBoolean()) {
                    return;
                }
            } catch (CliFailure e) {
                // a coordinator that is dead, or just taking over
            }
            if (System.nanoTime() - began > TimeUnit.MILLISECONDS.toNanos(LIMIT_MS)) {
                throw new IOException("not within " + LIMIT_MS / 1000 + " s: " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(POLL_MS));
        }
    }

    private void create(String name, String ha) {
        client.post(
                ApiClient.path("vms"),
                new VmBody(
                        name,
                        HOSTS.getFirst(),
                        "auto",
                        64 * MIB,
                        1,
                        new VmBody.Workload(4 * MIB, MIB, true),
                        List.of(),
                        null,
                        null,
                        null,
                        null,
                        ha));
    }

    private Optional<VmView> show(String vm) {
        for (var node : client.get(ApiClient.path("vms")).path("vms")) {
            VmView view = client.view(node, VmView.class);
            if (view.spec().name().equals(vm)) {
                return Optional.of(view);
            }
        }
        return Optional.empty();
    }

    private boolean runsWell(String vm) {
        return show(vm).filter(
                        view -> view.state().equals("RUNNING") && view.failure().isEmpty())
                .isPresent();
    }

    private List<HostView> hosts() {
        List<HostView> all = new ArrayList<>();
        client.get(ApiClient.path("hosts")).path("hosts").forEach(node -> all.add(client.view(node, HostView.class)));
        return all;
    }

    private List<Interval> intervals(String host, String vm) throws IOException {
        RunLog log = new RunLog();
        log.read(host, processes.runLog(host));
        return log.intervals().stream().filter(run -> run.vm().equals(vm)).toList();
    }

    private Interval last(String host) throws IOException {
        return intervals(host, LEASED).getLast();
    }
}
