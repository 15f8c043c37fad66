package io.godwit.plan.schedule;

import io.godwit.plan.model.TransferModel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Starts the moves of a batch one after the other, each as soon as all it needs is free and in an order that the caller
 * chooses; no waves. All arrays are made once: a run allocates nothing.
 *
 * <p>A move that cannot start remembers what it lacked and is not looked at again before some of that was given back. A
 * migration that runs with less than its path could give gets more when others end.
 */
final class Simulation {
    /**
     * A rank of the moves that loads decide: the more a move's links have before them, the sooner it goes.
     *
     * @param power how much the busiest link of a path counts more than the others
     * @param early weight of a move's duration while there is much to do: below 0, short ones go first, for a good mean end
     * @param late the same towards the end: above 0, long ones go first, so that none is left over
     * @param turn how many of the longest move the busiest link has before it when late begins
     * @param noise weight of chance
     */
    record Weights(int power, double early, double late, double turn, double noise) {}

    private static final int SCORE_BITS = 41;
    private static final int MOVE_BITS = 21;
    /** Keeps scores positive. */
    private static final double SCORE_BASE = 16;

    final long[] startMs;
    final long[] endMs;
    long makespanMs;
    long endSumMs;
    int unstarted;
    int shares;
    int[] shareMove;
    long[] shareFromMs;
    long[] shareMbit;
    /** Looks at a move, since construction: the measure of work that does not depend on the machine. */
    long effort;

    private final MoveBatch batch;
    private final long[] channelFree;
    private final long[] counterFree;
    private final double[] load;
    private final int[] waiting;
    private final int[] lacking;
    private final int[] lookedAt;
    private final int[] givenAt;
    private final int[] before;
    private final int[] running;
    private final long[] mbit;
    private final double[] left;
    private final long[] sinceMs;
    private final long[] keys;
    private final int[] candidates;
    private final long longestMs;
    private int runningCount;
    private int slowed;
    private long now;
    private int event;

    Simulation(MoveBatch batch) {
        this.batch = batch;
        int n = batch.size;
        if (n >= 1 << MOVE_BITS) {
            throw new IllegalArgumentException(n + " moves in one batch; expected fewer than " + (1 << MOVE_BITS));
        }
        startMs = new long[n];
        endMs = new long[n];
        channelFree = new long[batch.channelMbit.length];
        counterFree = new long[batch.counterFree.length];
        load = new double[batch.channelMbit.length];
        waiting = new int[n];
        lacking = new int[n];
        lookedAt = new int[n];
        givenAt = new int[channelFree.length + counterFree.length + 1];
        before = new int[n];
        running = new int[n];
        mbit = new long[n];
        left = new double[n];
        sinceMs = new long[n];
        keys = new long[n];
        candidates = new int[n];
        shareMove = new int[2 * n + 1];
        shareFromMs = new long[2 * n + 1];
        shareMbit = new long[2 * n + 1];
        long longest = 1;
        for (long duration : batch.durationMs) {
            longest = duration < TransferModel.NEVER_MS ? Math.max(longest, duration) : longest;
        }
        longestMs = longest;
    }

    /** Runs with a fixed order: whenever several could start, the earlier one in {@code order} does. */
    void run(int[] order) {
        System.arraycopy(order, 0, waiting, 0, batch.size);
        simulate(null, 0);
    }

    /** Runs with an order that follows what the links have left to carry. */
    void run(Weights weights, long seed) {
        for (int m = 0; m < batch.size; m++) {
            waiting[m] = m;
        }
        Arrays.fill(load, 0);
        for (int m = 0; m < batch.size; m++) {
            addLoad(m, 1);
        }
        simulate(weights, seed);
    }

    private void simulate(@Nullable Weights weights, long seed) {
        reset();
        effort++;
        int pending = batch.size;
        while (true) {
            if (slowed > 0) {
                speedUp();
            }
            pending = startWhatFits(pending, weights, seed);
            long next = Long.MAX_VALUE;
            for (int r = 0; r < runningCount; r++) {
                next = Math.min(next, endMs[running[r]]);
            }
            for (int w = 0; w < pending; w++) {
                long ready = batch.readyMs[waiting[w]];
                if (ready > now) {
                    next = Math.min(next, ready);
                }
            }
            if (next == Long.MAX_VALUE) {
                break;
            }
            now = next;
            event++;
            effort += runningCount >> 2;
            finish();
        }
        unstarted = pending;
        for (int w = 0; w < pending; w++) {
            startMs[waiting[w]] = -1;
            endMs[waiting[w]] = -1;
        }
    }

    private void reset() {
        System.arraycopy(batch.channelMbit, 0, channelFree, 0, channelFree.length);
        System.arraycopy(batch.counterFree, 0, counterFree, 0, counterFree.length);
        System.arraycopy(batch.predecessors, 0, before, 0, before.length);
        Arrays.fill(lookedAt, -1);
        Arrays.fill(givenAt, 0);
        Arrays.fill(lacking, givenAt.length - 1);
        runningCount = 0;
        slowed = 0;
        shares = 0;
        now = 0;
        event = 0;
        makespanMs = batch.floorMs;
        endSumMs = 0;
    }

    private int startWhatFits(int pending, @Nullable Weights weights, long seed) {
        int count = 0;
        for (int w = 0; w < pending; w++) {
            int m = waiting[w];
            if (batch.readyMs[m] <= now && before[m] == 0 && givenAt[lacking[m]] > lookedAt[m]) {
                candidates[count++] = m;
            }
        }
        effort += count + (pending >> 3);
        if (count == 0) {
            return pending;
        }
        if (weights != null) {
            rank(count, weights, seed);
        }
        int started = 0;
        for (int c = 0; c < count; c++) {
            int m = candidates[c];
            lookedAt[m] = event;
            int lack = lack(m);
            if (lack >= 0) {
                lacking[m] = lack;
            } else {
                start(m);
                started++;
                if (weights != null) {
                    addLoad(m, -1);
                }
            }
        }
        if (started == 0) {
            return pending;
        }
        int kept = 0;
        for (int w = 0; w < pending; w++) {
            int m = waiting[w];
            if (mbit[m] == 0) {
                waiting[kept++] = m;
            }
        }
        return kept;
    }

    /** Sorts the candidates by falling score; the score is the high part of the key and the move the low one. */
    private void rank(int count, Weights weights, long seed) {
        double most = 1;
        for (double l : load) {
            most = Math.max(most, l);
        }
        double duration = most > weights.turn() * longestMs ? weights.early() : weights.late();
        for (int c = 0; c < count; c++) {
            int m = candidates[c];
            double score =
                    SCORE_BASE + duration * batch.durationMs[m] / longestMs + weights.noise() * Noise.of(seed, m);
            for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
                double share = load[batch.path[p]] / most;
                double raised = share;
                for (int i = 1; i < weights.power(); i++) {
                    raised *= share;
                }
                score += raised;
            }
            long whole = Math.clamp((long) (score * (1L << 32)), 0, (1L << SCORE_BITS) - 1);
            keys[c] = ~whole << MOVE_BITS | m;
        }
        Arrays.sort(keys, 0, count);
        for (int c = 0; c < count; c++) {
            candidates[c] = (int) (keys[c] & ((1L << MOVE_BITS) - 1));
        }
    }

    private void addLoad(int m, int sign) {
        for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
            int channel = batch.path[p];
            load[channel] += sign * (double) batch.durationMs[m] * batch.mostMbit[m] / batch.channelMbit[channel];
        }
    }

    /** The channel or counter that m lacks; -1 when it can start. */
    private int lack(int m) {
        for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
            if (channelFree[batch.path[p]] < batch.leastMbit[m]) {
                return batch.path[p];
            }
        }
        for (int t = batch.takeAt[m]; t < batch.takeAt[m + 1]; t++) {
            if (counterFree[batch.takeCounter[t]] < batch.takeAmount[t]) {
                return channelFree.length + batch.takeCounter[t];
            }
        }
        return batch.durationMs[m] >= TransferModel.NEVER_MS ? givenAt.length - 1 : -1;
    }

    private long room(int m) {
        long room = batch.mostMbit[m];
        for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
            room = Math.min(room, channelFree[batch.path[p]]);
        }
        return room;
    }

    private void start(int m) {
        long granted = room(m);
        for (int t = batch.takeAt[m]; t < batch.takeAt[m + 1]; t++) {
            counterFree[batch.takeCounter[t]] -= batch.takeAmount[t];
        }
        startMs[m] = now;
        left[m] = 1;
        running[runningCount++] = m;
        occupy(m, granted);
        mbit[m] = granted;
        sinceMs[m] = now;
        endMs[m] = now + (granted == batch.mostMbit[m] ? batch.durationMs[m] : batch.duration(m, granted));
        slowed += granted < batch.mostMbit[m] ? 1 : 0;
        note(m, granted);
    }

    private void occupy(int m, long amount) {
        for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
            channelFree[batch.path[p]] -= amount;
        }
    }

    private void note(int m, long granted) {
        if (shares == shareMove.length) {
            shareMove = Arrays.copyOf(shareMove, 2 * shares);
            shareFromMs = Arrays.copyOf(shareFromMs, 2 * shares);
            shareMbit = Arrays.copyOf(shareMbit, 2 * shares);
        }
        shareMove[shares] = m;
        shareFromMs[shares] = now;
        shareMbit[shares++] = granted;
    }

    /** Gives what has become free to those that run with less than they could use. */
    private void speedUp() {
        for (int r = 0; r < runningCount; r++) {
            int m = running[r];
            if (mbit[m] == batch.mostMbit[m]) {
                continue;
            }
            long more = Math.min(room(m), batch.mostMbit[m] - mbit[m]);
            if (more <= 0) {
                continue;
            }
            left[m] = Math.max(0, left[m] - (double) (now - sinceMs[m]) / batch.duration(m, mbit[m]));
            occupy(m, more);
            mbit[m] += more;
            sinceMs[m] = now;
            endMs[m] = now + Math.max(1, (long) Math.ceil(left[m] * batch.duration(m, mbit[m])));
            slowed -= mbit[m] == batch.mostMbit[m] ? 1 : 0;
            note(m, mbit[m]);
        }
    }

    private void finish() {
        int kept = 0;
        for (int r = 0; r < runningCount; r++) {
            int m = running[r];
            if (endMs[m] > now) {
                running[kept++] = m;
                continue;
            }
            for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
                channelFree[batch.path[p]] += mbit[m];
                givenAt[batch.path[p]] = event;
            }
            for (int g = batch.giveAt[m]; g < batch.giveAt[m + 1]; g++) {
                counterFree[batch.giveCounter[g]] += batch.giveAmount[g];
                givenAt[channelFree.length + batch.giveCounter[g]] = event;
            }
            for (int f = batch.followerAt[m]; f < batch.followerAt[m + 1]; f++) {
                before[batch.follower[f]]--;
            }
            slowed -= mbit[m] < batch.mostMbit[m] ? 1 : 0;
            mbit[m] = 0;
            makespanMs = Math.max(makespanMs, now + batch.tailMs[m]);
            endSumMs += now;
        }
        runningCount = kept;
    }
}
