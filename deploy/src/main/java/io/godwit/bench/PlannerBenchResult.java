package io.godwit.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the planner's benchmark found, and which goals it misses. */
final class PlannerBenchResult {
    private static final double MEDIAN_GOAL = 1.04;
    private static final double WORST_GOAL = 1.10;
    private static final long MILLIS_GOAL = 1000;

    /**
     * One instance; times of plans in seconds, of planning in ms.
     *
     * @param sound whether every VM moves and the checker finds nothing
     * @param freeMakespanSeconds with destinations chosen freely; 0 where nothing is drained, -1 when not all can move
     */
    record Row(
            String instance,
            int moves,
            double makespanSeconds,
            double lowerBoundSeconds,
            double meanEndSeconds,
            long planningMillis,
            boolean sound,
            double freeMakespanSeconds,
            double btrplaceMakespanSeconds,
            double btrplaceMeanEndSeconds,
            double btrplacePlanningMillis) {
        double ratio() {
            return makespanSeconds / lowerBoundSeconds;
        }

        /** Where BtrPlace has met the bound, meeting it as well is all that can be asked. */
        boolean shorter() {
            return makespanSeconds < btrplaceMakespanSeconds
                    || makespanSeconds <= lowerBoundSeconds && btrplaceMakespanSeconds <= lowerBoundSeconds;
        }
    }

    private final List<Row> rows = new ArrayList<>();
    private final List<FleetBench.Row> fleets = new ArrayList<>();
    private final List<PeerPlanners.Row> peers = new ArrayList<>();
    private RandomFleets.Outcome random = new RandomFleets.Outcome(0, 0, 0, List.of());

    void add(Row row) {
        rows.add(row);
    }

    void add(RandomFleets.Outcome outcome) {
        random = outcome;
    }

    void add(FleetBench.Row row) {
        fleets.add(row);
    }

    void add(PeerPlanners.Row row) {
        peers.add(row);
    }

    private List<Double> ratios() {
        return rows.stream().map(Row::ratio).sorted().toList();
    }

    private double median() {
        List<Double> ratios = ratios();
        int n = ratios.size();
        return n == 0 ? 0 : (ratios.get((n - 1) / 2) + ratios.get(n / 2)) / 2;
    }

    private double worst() {
        return rows.isEmpty() ? 0 : ratios().getLast();
    }

    /** One line per missed goal. */
    List<String> misses() {
        List<String> misses = new ArrayList<>();
        for (Row row : rows) {
            if (!row.sound()) {
                misses.add(row.instance() + " does not pass the checker");
            }
            if (!row.shorter()) {
                misses.add(row.instance() + " takes longer than BtrPlace's plan");
            }
            if (row.meanEndSeconds() >= row.btrplaceMeanEndSeconds()) {
                misses.add(row.instance() + " has a later mean end than BtrPlace's plan");
            }
            if (row.planningMillis() > MILLIS_GOAL) {
                misses.add(row.instance() + " took " + row.planningMillis() + " ms to plan");
            }
        }
        if (rows.isEmpty()) {
            misses.add("there are no instances");
        } else if (median() > MEDIAN_GOAL || worst() > WORST_GOAL) {
            misses.add(String.format(
                    Locale.ROOT, "makespan over bound is %.3f in the median and %.3f at worst", median(), worst()));
        }
        for (Row row : rows) {
            if (row.freeMakespanSeconds() < 0) {
                misses.add(row.instance() + " cannot be planned soundly with free destinations");
            }
        }
        misses.addAll(FleetBench.misses(fleets));
        for (PeerPlanners.Row row : peers) {
            if (!row.sound()) {
                misses.add("the plan of " + row.hosts() + " hosts does not pass the checker");
            }
        }
        if (!random.broken().isEmpty()) {
            misses.add(random.broken().size() + " random plans break something, that of seed "
                    + random.broken().getFirst() + " first");
        }
        return misses;
    }

    String table() {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%-20s %6s %10s %10s %7s %10s %9s %8s | %10s %10s %9s%n",
                "INSTANCE",
                "MOVES",
                "MAKESPAN s",
                "BOUND s",
                "RATIO",
                "MEAN END s",
                "PLAN ms",
                "FREE s",
                "BTRPLACE s",
                "MEAN END s",
                "ms"));
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-20s %6d %10.1f %10.1f %7.3f %10.1f %9d %8s | %10.1f %10.1f %9.0f%n",
                    row.instance(),
                    row.moves(),
                    row.makespanSeconds(),
                    row.lowerBoundSeconds(),
                    row.ratio(),
                    row.meanEndSeconds(),
                    row.planningMillis(),
                    row.freeMakespanSeconds() == 0
                            ? "-"
                            : String.format(Locale.ROOT, "%.1f", row.freeMakespanSeconds()),
                    row.btrplaceMakespanSeconds(),
                    row.btrplaceMeanEndSeconds(),
                    row.btrplacePlanningMillis()));
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "makespan over bound: median %.3f (goal %.2f), worst %.3f (goal %.2f)%n",
                        median(),
                        MEDIAN_GOAL,
                        worst(),
                        WORST_GOAL))
                .append(FleetBench.table(fleets))
                .append(peers.isEmpty() ? "" : PeerPlanners.table(peers))
                .append(String.format(
                        Locale.ROOT,
                        "%n%d random fleets: %d migrations planned, %d VMs cannot move, %d plans break something%n",
                        random.plans(),
                        random.moves(),
                        random.unmoved(),
                        random.broken().size()))
                .toString();
    }

    /** The same for programs. */
    Map<String, Object> document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("goalMet", misses().isEmpty());
        document.put("medianRatio", median());
        document.put("worstRatio", worst());
        document.put("misses", misses());
        document.put("instances", rows);
        document.put("fleets", fleets);
        document.put("peers", peers.stream().map(PlannerBenchResult::peer).toList());
        document.put("random", random);
        return document;
    }

    /** Without its times where it could not be run. */
    private static Map<String, Object> peer(PeerPlanners.Row row) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("peer", row.peer());
        one.put("hosts", row.hosts());
        one.put("vms", row.vms());
        one.put("drained", row.drained());
        one.put("ourMillis", row.ourMillis());
        one.put("ourMoves", row.ourMoves());
        if (row.peerMillis().isPresent()) {
            one.put("peerMillis", row.peerMillis().getAsLong());
            one.put("peerMoves", row.peerMoves());
            one.put("ratio", row.ratio());
        } else {
            one.put("note", row.note());
        }
        return one;
    }
}
