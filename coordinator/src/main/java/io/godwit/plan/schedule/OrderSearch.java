package io.godwit.plan.schedule;

import io.godwit.plan.model.Move;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The search over orders of one batch. Used once. */
final class OrderSearch {
    /** Of the effort, this part goes to restarts with ranks, the rest to changes of the best order. */
    private static final double RESTARTS = 0.3;

    private static final int[] POWERS = {4, 1, 8, 2};
    private static final double[] EARLY = {-0.5, 0.5, -2, 0};
    private static final double[] LATE = {0.5, 2};
    private static final double[] TURNS = {2, 5};
    private static final int GRID = POWERS.length * EARLY.length * LATE.length * TURNS.length;

    /** A millisecond of makespan is worth this many of the mean end. */
    private static final double MAKESPAN_WEIGHT = 2;

    private final MoveBatch batch;
    private final Scheduler.Effort effort;
    private final Simulation simulation;
    private final long bound;
    private final long[] bestStart;
    private final long[] bestEnd;
    private double bestCost = Double.MAX_VALUE;
    private long bestMakespan = Long.MAX_VALUE;
    private int[] bestShareMove = new int[0];
    private long[] bestShareFrom = new long[0];
    private long[] bestShareMbit = new long[0];

    OrderSearch(MoveBatch batch, Scheduler.Effort effort) {
        this.batch = batch;
        this.effort = effort;
        simulation = new Simulation(batch);
        bound = LowerBound.ms(batch);
        bestStart = new long[batch.size];
        bestEnd = new long[batch.size];
    }

    Schedule search() {
        restarts();
        improve();
        return result();
    }

    private void restarts() {
        for (int i = 0; i == 0 || simulation.effort < effort.effort() * RESTARTS; i++) {
            double noise = i < GRID ? 0 : 0.3 * Noise.of(effort.seed(), i);
            simulation.run(
                    new Simulation.Weights(
                            POWERS[i % POWERS.length],
                            EARLY[i / POWERS.length % EARLY.length],
                            LATE[i / POWERS.length / EARLY.length % LATE.length],
                            TURNS[i / POWERS.length / EARLY.length / LATE.length % TURNS.length],
                            noise),
                    effort.seed() + i);
            keepIfBetter();
        }
    }

    /** Moves that never start count more than anything else. */
    private double cost() {
        return simulation.unstarted * 1e15
                + simulation.makespanMs * MAKESPAN_WEIGHT
                + (double) simulation.endSumMs / Math.max(1, batch.size);
    }

    private void keepIfBetter() {
        double cost = cost();
        if (cost < bestCost) {
            bestCost = cost;
            bestMakespan = simulation.makespanMs;
            System.arraycopy(simulation.startMs, 0, bestStart, 0, batch.size);
            System.arraycopy(simulation.endMs, 0, bestEnd, 0, batch.size);
            bestShareMove = Arrays.copyOf(simulation.shareMove, simulation.shares);
            bestShareFrom = Arrays.copyOf(simulation.shareFromMs, simulation.shares);
            bestShareMbit = Arrays.copyOf(simulation.shareMbit, simulation.shares);
        }
    }

    /** Takes one move that ends late, lets it start earlier in the order, and keeps what is no worse. */
    private void improve() {
        int n = batch.size;
        if (n < 2) {
            return;
        }
        int[] order = byStart(bestStart);
        int[] tried = new int[n];
        long makespan = bestMakespan;
        double current = bestCost;
        long[] end = bestEnd.clone();
        long tries = 0;
        while (simulation.effort < effort.effort()) {
            System.arraycopy(order, 0, tried, 0, n);
            tries++;
            long seed = effort.seed() * 31 + tries;
            int from = pick(order, end, makespan, seed);
            int to = Noise.below(seed, 2, Math.max(1, from));
            if (Noise.of(seed, 3) < 0.5) {
                int m = tried[from];
                System.arraycopy(tried, to, tried, to + 1, from - to);
                tried[to] = m;
            } else {
                int other = tried[to];
                tried[to] = tried[from];
                tried[from] = other;
            }
            simulation.run(tried);
            boolean accepted = cost() <= current;
            keepIfBetter();
            if (accepted) {
                makespan = simulation.makespanMs;
                current = cost();
                System.arraycopy(tried, 0, order, 0, n);
                System.arraycopy(simulation.endMs, 0, end, 0, n);
            }
        }
    }

    private int pick(int[] order, long[] end, long makespan, long seed) {
        int n = order.length;
        if (makespan > bound && Noise.of(seed, 0) < 0.5) {
            int from = Noise.below(seed, 1, n);
            for (int i = 0; i < n; i++) {
                int at = (from + i) % n;
                if (end[order[at]] + batch.tailMs[order[at]] == makespan) {
                    return Math.max(1, at);
                }
            }
        }
        return 1 + Noise.below(seed, 1, n - 1);
    }

    private int[] byStart(long[] start) {
        Integer[] order = new Integer[start.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingLong((Integer m) -> start[m] < 0 ? Long.MAX_VALUE : start[m]));
        return Arrays.stream(order).mapToInt(Integer::intValue).toArray();
    }

    private Schedule result() {
        List<List<Share>> shares = new ArrayList<>();
        for (int m = 0; m < batch.size; m++) {
            shares.add(new ArrayList<>());
        }
        for (int s = 0; s < bestShareMove.length; s++) {
            shares.get(bestShareMove[s]).add(new Share(bestShareFrom[s], bestShareMbit[s]));
        }
        List<ScheduledMove> moves = new ArrayList<>();
        List<Move> stuck = new ArrayList<>();
        for (int m : byStart(bestStart)) {
            Move move = batch.moves.get(m);
            if (bestStart[m] < 0) {
                stuck.add(move);
            } else {
                moves.add(new ScheduledMove(
                        move.vm(), move.from(), move.to(), move.slots(), bestStart[m], bestEnd[m], shares.get(m)));
            }
        }
        return new Schedule(moves, stuck, bestMakespan, bound);
    }
}
