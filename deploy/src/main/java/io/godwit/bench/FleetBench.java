package io.godwit.bench;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.schedule.Scheduler;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** How long planning takes at the size of a large fleet: made-up fleets, in a JVM that has just started and in one that is warm. */
final class FleetBench {
    private static final int RUNS = 5;
    private static final long SEED = 1;

    /** The sizes asked for: hosts, hosts to drain, goal in ms. */
    private static final List<Size> SIZES = List.of(new Size(1_000, 50, 500), new Size(5_000, 250, 5_000));

    private record Size(int hosts, int drained, long goalMillis) {}

    /**
     * One fleet.
     *
     * @param coldMillis the first plan of a JVM
     * @param warmMillis median of the plans after one that is not counted
     * @param heapMiB the most heap that the JVM may take
     * @param sound whether every VM moves and the checker finds nothing
     */
    record Row(
            int hosts,
            int vms,
            int drained,
            int moves,
            long coldMillis,
            long warmMillis,
            long goalMillis,
            long heapMiB,
            double makespanSeconds,
            double lowerBoundSeconds,
            boolean sound) {}

    private FleetBench() {}

    static List<Row> measure() throws IOException, InterruptedException {
        List<Row> rows = new ArrayList<>();
        for (Size size : SIZES) {
            long cold = cold(size);
            PlanCase fleet = SyntheticFleet.of(size.hosts(), size.drained(), SEED);
            BatchPlan plan = BatchPlanner.plan(fleet, Scheduler.Effort.STANDARD);
            long[] millis = new long[RUNS];
            for (int run = 0; run < RUNS; run++) {
                millis[run] = millis(fleet);
            }
            Arrays.sort(millis);
            rows.add(new Row(
                    size.hosts(),
                    fleet.vms().size(),
                    size.drained(),
                    plan.moves().size(),
                    cold,
                    millis[RUNS / 2],
                    size.goalMillis(),
                    Runtime.getRuntime().maxMemory() >> 20,
                    plan.makespanMs() / 1000.0,
                    plan.lowerBoundMs() / 1000.0,
                    plan.unmoved().isEmpty() && PlanChecker.check(fleet, plan).isEmpty()));
        }
        return rows;
    }

    /** Plans one fleet and prints how long that took: what a JVM does that has just started. */
    static void printCold(int hosts, int drained) {
        System.out.println(millis(SyntheticFleet.of(hosts, drained, SEED)));
    }

    private static long millis(PlanCase fleet) {
        long began = System.nanoTime();
        BatchPlan plan = BatchPlanner.plan(fleet, Scheduler.Effort.STANDARD);
        long millis = (System.nanoTime() - began) / 1_000_000;
        if (plan.moves().isEmpty()) {
            throw new IllegalStateException("nothing was planned");
        }
        return millis;
    }

    private static long cold(Size size) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                PlannerBench.class.getName(),
                "",
                "--cold-fleet",
                size.hosts() + "/" + size.drained()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException("a fresh JVM could not plan " + size.hosts() + " hosts");
        }
        return Long.parseLong(said);
    }

    /** One line per missed goal. */
    static List<String> misses(List<Row> rows) {
        List<String> misses = new ArrayList<>();
        for (Row row : rows) {
            if (!row.sound()) {
                misses.add("the plan of " + row.hosts() + " hosts does not pass the checker");
            }
            if (row.warmMillis() >= row.goalMillis()) {
                misses.add(row.hosts() + " hosts took " + row.warmMillis() + " ms to plan");
            }
        }
        return misses;
    }

    static String table(List<Row> rows) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%n%-8s %8s %8s %6s %9s %9s %9s %9s %11s %9s%n",
                "HOSTS",
                "VMS",
                "DRAINED",
                "MOVES",
                "COLD ms",
                "WARM ms",
                "GOAL ms",
                "HEAP MiB",
                "MAKESPAN s",
                "BOUND s"));
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-8d %8d %8d %6d %9d %9d %9d %9d %11.1f %9.1f%n",
                    row.hosts(),
                    row.vms(),
                    row.drained(),
                    row.moves(),
                    row.coldMillis(),
                    row.warmMillis(),
                    row.goalMillis(),
                    row.heapMiB(),
                    row.makespanSeconds(),
                    row.lowerBoundSeconds()));
        }
        return text.toString();
    }
}
