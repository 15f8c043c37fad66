package io.godwit.bench;

import com.typesafe.config.ConfigFactory;
import io.godwit.cli.ApiClient;
import io.godwit.demo.DemoFleet;
import io.godwit.demo.DemoOptions;
import io.godwit.demo.DemoSettings;
import io.godwit.proto.evacuation.EvacuationView;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Kills processes at random moments while VMs are moved: in each round the host with the most VMs is emptied, and one
 * coordinator or agent is killed, or stopped for a while, at a drawn moment. Then the evacuation has to end by itself, every
 * VM has to run once or to have died with its agent, and by the run logs, written outside the cluster, none may ever have run
 * twice.
 */
public final class CrashLoop {
    private static final Duration EVACUATION_MAX = Duration.ofSeconds(150);
    private static final Duration SETTLED_MAX = Duration.ofSeconds(90);
    private static final Duration ANSWER_MAX = Duration.ofMillis(500);
    private static final List<KillPoint> POINTS = List.of(KillPoint.values());
    private static final int POINT_MS_MAX = 30_000;
    private static final int MOMENT_MS_MAX = 4_000;
    private static final int PAUSE_MS_MIN = 2_000;
    private static final int PAUSE_MS_MAX = 30_000;

    private final CrashLoopOptions options;
    private final DemoFleet processes;
    private final CrashFleet fleet;
    private final Random draw;
    private final Witness witness = new Witness();
    private final List<Long> nextStepMs = new ArrayList<>();
    private int killed;
    private int stopped;
    private int diedWithAgent;

    private CrashLoop(CrashLoopOptions options, DemoFleet processes, CrashFleet fleet) {
        this.options = options;
        this.processes = processes;
        this.fleet = fleet;
        this.draw = new Random(options.seed());
    }

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
        try (DemoFleet processes = new DemoFleet(
                folder,
                DemoSettings.of(ConfigFactory.load()),
                ManagementFactory.getRuntimeMXBean().getInputArguments(),
                System.getProperty("java.class.path"))) {
            ApiClient client = processes.start(
                    new DemoOptions(options.hosts(), options.vms(), 16L << 20, "auto", options.coordinators()));
            CrashFleet fleet = new CrashFleet(client, impatient(processes));
            good = new CrashLoop(options, processes, fleet).run();
        } finally {
            if (good && !options.keep()) {
                BenchFolder.delete(folder);
            } else {
                System.err.println("crash-loop: logs are in " + folder);
            }
        }
        System.exit(good ? 0 : 1);
    }

    private static ApiClient impatient(DemoFleet processes) {
        return new ApiClient(
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(),
                processes.coordinators().stream().map(processes::url).collect(Collectors.joining(",")),
                ANSWER_MAX);
    }

    private boolean run() throws IOException, InterruptedException {
        fleet.awaitThat("all hosts are up", () -> fleet.hostsUp() == options.hosts());
        for (int vm = 1; vm <= options.vms(); vm++) {
            fleet.create("vm-" + vm, host(1 + vm % options.hosts()));
        }
        Optional<String> wrong = Optional.empty();
        int round = 0;
        int rounds = options.points().isPresent()
                ? Math.min(options.rounds(), 3 * POINTS.size())
                : options.rounds();
        while (round < rounds && wrong.isEmpty()) {
            round++;
            wrong = round(round);
        }
        System.out.println(summary(round, wrong));
        return wrong.isEmpty();
    }

    private Optional<String> round(int number) throws IOException, InterruptedException {
        String emptied = fullest();
        Map<String, CrashFleet.Vm> before = fleet.vms();
        LogWatch logs = new LogWatch(coordinatorLogs());
        String evacuation = fleet.evacuate(emptied);
        Hit hit = options.points().isPresent() ? atPoint(number, emptied, evacuation, logs) : drawn();
        String victim = hit.victim();
        boolean kill = hit.kill();
        boolean coordinator = !victim.startsWith("host-");
        String told = "round " + number + ": " + emptied + " is emptied; " + hit.when() + " " + victim
                + (kill ? " is killed" : " stands still for " + hit.pauseMs() + " ms");
        System.out.println(told);
        Optional<Long> stepMs = kill ? kill(victim, evacuation) : stop(victim, evacuation, hit.pauseMs());
        stepMs.filter(_ -> coordinator).ifPresent(nextStepMs::add);
        try {
            fleet.awaitThat("evacuation " + evacuation + " ends", EVACUATION_MAX, () -> ended(evacuation));
            fleet.awaitThat("all hosts are up again", SETTLED_MAX, () -> fleet.hostsUp() == options.hosts());
            fleet.awaitThat("every VM runs or is known to be lost", SETTLED_MAX, this::settled);
        } catch (IOException e) {
            return Optional.of("stuck: " + told + ": " + e.getMessage() + ": " + fleet.vms() + ", "
                    + fleet.evacuation(evacuation));
        }
        Optional<String> lost = restoreLost(before, kill && !coordinator ? Optional.of(victim) : Optional.empty());
        if (lost.isPresent()) {
            return Optional.of("lost: " + told + ": " + lost.get());
        }
        fleet.uncordon(emptied);
        return witness.verdict(runLogs());
    }

    /** Whom it hits, and when it is time. */
    private record Hit(String when, String victim, boolean kill, long pauseMs) {}

    /** Waits for a drawn moment. */
    private Hit drawn() {
        boolean coordinator = draw.nextBoolean();
        boolean kill = draw.nextInt(3) > 0;
        String victim = coordinator
                ? processes
                        .coordinators()
                        .get(draw.nextInt(processes.coordinators().size()))
                : host(1 + draw.nextInt(options.hosts()));
        long momentMs = draw.nextInt(MOMENT_MS_MAX);
        long pauseMs = draw.nextInt(PAUSE_MS_MIN, PAUSE_MS_MAX);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(momentMs));
        return new Hit("after " + momentMs + " ms", victim, kill, pauseMs);
    }

    /** Waits for the point of this round: each of the ten, for each of three parts. */
    private Hit atPoint(int number, String source, String evacuation, LogWatch logs) throws IOException {
        KillPoint point = POINTS.get((number - 1) / 3);
        Optional<LogWatch.Seen> seen =
                point == KillPoint.BEFORE_PLAN ? Optional.empty() : logs.await(point, POINT_MS_MAX);
        if (seen.isEmpty() && point != KillPoint.BEFORE_PLAN) {
            throw new IOException("evacuation " + evacuation + " never came to " + point.text());
        }
        String first = processes.coordinators().getFirst();
        String victim = switch ((number - 1) % 3) {
            case 0 -> seen.map(LogWatch.Seen::coordinator).orElse(first);
            case 1 -> source;
            default -> seen.flatMap(at -> fleet.destination(at.migration())).orElse(host(options.hosts()));
        };
        String part = List.of("coordinator", "source", "destination").get((number - 1) % 3);
        return new Hit(
                "at " + point.text() + " the " + part,
                victim,
                options.points().get().equals("kill"),
                PAUSE_MS_MAX);
    }

    private Map<String, Path> coordinatorLogs() {
        Map<String, Path> logs = new TreeMap<>();
        processes.coordinators().forEach(name -> logs.put(name, processes.log(name)));
        return logs;
    }

    private Optional<Long> kill(String victim, String evacuation) throws IOException, InterruptedException {
        killed++;
        processes.kill(victim);
        long at = System.nanoTime();
        if (victim.startsWith("host-")) {
            witness.died(victim, at);
        }
        Optional<Long> step = nextStep(evacuation, at);
        processes.restart(victim);
        return step;
    }

    private Optional<Long> stop(String victim, String evacuation, long pauseMs)
            throws IOException, InterruptedException {
        stopped++;
        long at = System.nanoTime();
        processes.signal(victim, false);
        try {
            Optional<Long> step = nextStep(evacuation, at);
            long left = pauseMs - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - at);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(Math.max(0, left)));
            return step;
        } finally {
            processes.signal(victim, true);
        }
    }

    /** Milliseconds until something of the evacuation has gone on; empty when it had ended before, or nothing did. */
    private Optional<Long> nextStep(String evacuation, long since) {
        Optional<String> first = Optional.empty();
        long deadline = since + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() < deadline) {
            Optional<String> now = fleet.progress(evacuation);
            if (now.isPresent() && first.isPresent() && !now.equals(first)) {
                return Optional.of(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since));
            }
            if (now.filter(text -> !text.startsWith("RUNNING") && !text.startsWith("PLANNING"))
                    .isPresent()) {
                return Optional.empty();
            }
            first = first.or(() -> now);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return Optional.empty();
    }

    private boolean ended(String evacuation) {
        EvacuationView view = fleet.evacuation(evacuation);
        return view.state().equals("COMPLETED") || view.state().equals("FAILED");
    }

    private boolean settled() {
        Map<String, CrashFleet.Vm> vms = fleet.vms();
        return vms.size() == options.vms()
                && vms.values().stream()
                        .allMatch(
                                vm -> vm.state().equals("RUNNING") || vm.state().equals("LOST"));
    }

    /** Makes anew what died with its agent; anything else that is lost is told. */
    private Optional<String> restoreLost(Map<String, CrashFleet.Vm> before, Optional<String> dead) throws IOException {
        Set<String> lost = new HashSet<>();
        fleet.vms().forEach((vm, now) -> {
            if (now.state().equals("LOST")) {
                lost.add(vm);
            }
        });
        if (!lost.isEmpty() && dead.isEmpty()) {
            return Optional.of(lost + " though no agent was killed; before: " + before);
        }
        for (String vm : lost) {
            diedWithAgent++;
            fleet.forget(vm);
            fleet.create(vm, dead.get());
        }
        return Optional.empty();
    }

    private String fullest() {
        Map<String, Integer> count = new TreeMap<>();
        fleet.vms().values().forEach(vm -> vm.host().ifPresent(host -> count.merge(host, 1, Integer::sum)));
        return count.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(host(1));
    }

    private Map<String, Path> runLogs() {
        Map<String, Path> logs = new TreeMap<>();
        for (int i = 1; i <= options.hosts(); i++) {
            logs.put(host(i), processes.runLog(host(i)));
        }
        return logs;
    }

    private static String host(int number) {
        return "host-" + number;
    }

    private String summary(int rounds, Optional<String> wrong) {
        List<Long> sorted = nextStepMs.stream().sorted().toList();
        String times = sorted.isEmpty()
                ? "none measured"
                : "median " + sorted.get(sorted.size() / 2) + " ms, max " + sorted.getLast() + " ms of "
                        + sorted.size();
        return rounds + " rounds, seed " + options.seed() + ": " + killed + " killed, " + stopped
                + " stopped for a while; " + diedWithAgent
                + " VMs died with their own agent; from a coordinator's death to the next step of the evacuation: "
                + times
                + "\n"
                + wrong.map(what -> "WRONG: " + what).orElse("0 ran twice, 0 lost otherwise, 0 stuck");
    }
}
