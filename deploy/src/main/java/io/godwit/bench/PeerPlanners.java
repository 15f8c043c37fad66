package io.godwit.bench;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.schedule.Scheduler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * Other planners on the made-up fleets of {@link SyntheticFleet}, in the same run: BtrPlace 1.9.3 in its repair mode, without a
 * network, which is its fastest way; and Ganeti's {@code hbal -E}. Ours plans destinations, bandwidth and start times over the
 * network. Each is given sizes that it can do in a minute; with {@code large}, in four.
 */
final class PeerPlanners {
    private static final int RUNS = 5;
    private static final long SEED = 1;
    private static final int LIMIT_SECONDS = 600;
    /** More than a VM of these fleets has; memory alone is to decide. */
    private static final long DISK_MIB = 1024;

    private static final long NODE_DISK_MIB = 1 << 20;

    private enum Peer {
        BTRPLACE("BtrPlace 1.9.3"),
        HBAL("hbal -E");

        private final String title;

        Peer(String title) {
            this.title = title;
        }
    }

    private record Size(Peer peer, int hosts, int drained) {}

    private static final List<Size> SIZES =
            List.of(new Size(Peer.BTRPLACE, 200, 10), new Size(Peer.BTRPLACE, 1_000, 50), new Size(Peer.HBAL, 50, 2));
    private static final List<Size> LARGE = List.of(new Size(Peer.BTRPLACE, 5_000, 250), new Size(Peer.HBAL, 100, 5));

    /**
     * One fleet, planned by both. Times are warm but for hbal's, which is a program that starts anew.
     *
     * @param peerMillis its planning; empty when it could not be run, for which {@code note} has the reason
     * @param ratio of its time to ours; 0 when it could not be run
     * @param sound whether our plan moves every VM and the checker finds nothing
     */
    record Row(
            String peer,
            int hosts,
            int vms,
            int drained,
            OptionalLong peerMillis,
            long peerMoves,
            double ourMillis,
            long ourMoves,
            double ratio,
            boolean sound,
            String note) {}

    /** What a peer said. */
    private record Answer(OptionalLong millis, long moves, String note) {
        static Answer none(String why) {
            return new Answer(OptionalLong.empty(), 0, why);
        }
    }

    private final Path folder;
    private final Path jars;
    private final Path driver;

    private PeerPlanners(Path folder, Path deploy) {
        this.folder = folder;
        this.jars = deploy.resolve("target/peers");
        this.driver = deploy.resolve("bench/peers/BtrPlaceDrain.java");
    }

    /**
     * Plans each fleet with the peer and with ours.
     *
     * @param deploy the folder with {@code bench/peers} and, once fetched, {@code target/peers}
     * @param large the sizes that take minutes, too
     */
    static List<Row> measure(Path deploy, boolean large) throws IOException, InterruptedException {
        List<Size> sizes = new ArrayList<>(SIZES);
        if (large) {
            sizes.addAll(LARGE);
        }
        Path folder = BenchFolder.make();
        PeerPlanners peers = new PeerPlanners(folder, deploy);
        List<Row> rows = new ArrayList<>();
        for (Size size : sizes) {
            rows.add(peers.row(size));
        }
        BenchFolder.delete(folder);
        return rows;
    }

    private Row row(Size size) throws IOException, InterruptedException {
        PlanCase fleet = SyntheticFleet.of(size.hosts(), size.drained(), SEED);
        BatchPlan plan = BatchPlanner.plan(fleet, Scheduler.Effort.STANDARD);
        long[] nanos = new long[RUNS];
        for (int run = 0; run < RUNS; run++) {
            long began = System.nanoTime();
            plan = BatchPlanner.plan(fleet, Scheduler.Effort.STANDARD);
            nanos[run] = System.nanoTime() - began;
        }
        Arrays.sort(nanos);
        double ours = nanos[RUNS / 2] / 1e6;
        Answer answer = switch (size.peer()) {
            case BTRPLACE -> btrplace(fleet, size.hosts() > 1_000 ? 1 : 2);
            case HBAL -> hbal(fleet);
        };
        return new Row(
                size.peer().title,
                size.hosts(),
                fleet.vms().size(),
                size.drained(),
                answer.millis(),
                answer.moves(),
                ours,
                plan.moves().size(),
                answer.millis().isPresent() ? answer.millis().getAsLong() / ours : 0,
                plan.unmoved().isEmpty() && PlanChecker.check(fleet, plan).isEmpty(),
                answer.note());
    }

    /** The last of {@code runs} plans of one JVM: the ones before it warm it up. */
    private Answer btrplace(PlanCase fleet, int runs) throws IOException, InterruptedException {
        if (!Files.isDirectory(jars)) {
            return Answer.none("its jars are not in " + jars);
        }
        List<String> lines = new ArrayList<>();
        for (PlanHost host : fleet.hosts()) {
            lines.add("host " + host.name() + " " + host.capacity().get("memory") + " "
                    + (fleet.drained().contains(host.name()) ? 1 : 0));
        }
        for (PlanVm vm : fleet.vms()) {
            lines.add("vm " + vm.name() + " " + vm.host() + " " + vm.demand().get("memory"));
        }
        Path file = Files.write(folder.resolve("fleet-" + lines.size() + ".txt"), lines);
        String java = ProcessHandle.current().info().command().orElse("java");
        List<String> said = run(
                java,
                "-Xmx" + (fleet.hosts().size() > 1_000 ? "10g" : "4g"),
                "-cp",
                jars + "/*",
                driver.toString(),
                file.toString(),
                String.valueOf(runs));
        if (said.size() < runs) {
            return Answer.none("it ended without a plan");
        }
        String[] last = said.get(runs - 1).split(" ", -1);
        return new Answer(OptionalLong.of(Long.parseLong(last[0])), Long.parseLong(last[1]), "");
    }

    private Answer hbal(PlanCase fleet) throws IOException, InterruptedException {
        if (Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .noneMatch(path -> Files.isExecutable(Path.of(path, "hbal")))) {
            return Answer.none("not installed (Debian: ganeti-htools)");
        }
        Path file = Files.writeString(folder.resolve("ganeti-" + fleet.hosts().size() + ".txt"), ganeti(fleet));
        long began = System.nanoTime();
        List<String> said = run("hbal", "-t", file.toString(), "-E");
        long millis = (System.nanoTime() - began) / 1_000_000;
        String length = "Solution length=";
        return said.stream()
                .filter(line -> line.startsWith(length))
                .findFirst()
                .map(line -> new Answer(OptionalLong.of(millis), Long.parseLong(line.substring(length.length())), ""))
                .orElseGet(() -> Answer.none("it found no solution"));
    }

    /** The text format of Ganeti's htools 3.0: groups, nodes, instances, tags, policies. */
    private static String ganeti(PlanCase fleet) {
        Map<String, Long> used = new HashMap<>();
        fleet.vms().forEach(vm -> used.merge(vm.host(), vm.demand().getOrDefault("memory", 0L), Long::sum));
        StringBuilder text = new StringBuilder("g|g|preferred||\n\n");
        for (PlanHost host : fleet.hosts()) {
            long memory = host.capacity().getOrDefault("memory", 0L);
            text.append(String.format(
                    Locale.ROOT,
                    "%s|%d|0|%d|%d|%d|%d|%s|g|1||N|0|1|1.0%n",
                    host.name(),
                    memory,
                    memory - used.getOrDefault(host.name(), 0L),
                    NODE_DISK_MIB,
                    NODE_DISK_MIB - SyntheticFleet.VMS_PER_HOST * DISK_MIB,
                    host.capacity().get("cpu"),
                    fleet.drained().contains(host.name()) ? "Y" : "N"));
        }
        text.append('\n');
        for (PlanVm vm : fleet.vms()) {
            long memory = vm.demand().getOrDefault("memory", 0L);
            text.append(String.format(
                    Locale.ROOT,
                    "%s|%d|%d|%d|running|Y|%s||ext||1|%d%n",
                    vm.name(),
                    memory,
                    DISK_MIB,
                    vm.demand().get("cpu"),
                    vm.host(),
                    memory));
        }
        return text.append("\n\n\n").toString();
    }

    /** What it printed; empty when it failed or took too long. */
    private List<String> run(String... command) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            return List.of();
        }
        return process.exitValue() == 0 ? Files.readAllLines(out, StandardCharsets.UTF_8) : List.of();
    }

    static String table(List<Row> rows) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%n%-15s %6s %8s %8s %10s %6s | %9s %6s %8s%n",
                "PEER",
                "HOSTS",
                "VMS",
                "DRAINED",
                "ms",
                "MOVES",
                "OURS ms",
                "MOVES",
                "RATIO"));
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-15s %6d %8d %8d %10s %6s | %9.1f %6d %8s %s%n",
                    row.peer(),
                    row.hosts(),
                    row.vms(),
                    row.drained(),
                    row.peerMillis().isPresent() ? row.peerMillis().getAsLong() : "-",
                    row.peerMillis().isPresent() ? row.peerMoves() : "-",
                    row.ourMillis(),
                    row.ourMoves(),
                    row.peerMillis().isPresent() ? String.format(Locale.ROOT, "%.0f", row.ratio()) : "-",
                    row.note()));
        }
        return text.toString();
    }
}
