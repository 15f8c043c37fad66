package io.godwit.plan.schedule;

import io.godwit.plan.model.Move;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.TransferModel;
import java.util.List;

/**
 * The moves to schedule, as flat arrays. Two kinds of scarce things: <i>channels</i>, of which a migration takes its
 * bandwidth while it runs; and <i>counters</i> (memory of a host, its devices, its slots for migrations, places under a rule), from
 * which it takes an amount when it starts and to which it gives one when it ends. Lists per move are ranges of one array:
 * those of move m are from {@code xAt[m]} to {@code xAt[m + 1]}.
 */
final class MoveBatch {
    /** The least a migration is worth starting with: below, more than this share of its traffic is pages sent again for slowness. */
    private static final double WASTE_ACCEPTED = 0.10;

    final List<Move> moves;
    final int size;
    final long[] channelMbit;
    final int[] pathAt;
    final int[] path;
    final long[] counterFree;
    final int[] takeAt;
    final int[] takeCounter;
    final long[] takeAmount;
    final int[] giveAt;
    final int[] giveCounter;
    final long[] giveAmount;
    /** Moves that wait for m. */
    final int[] followerAt;

    final int[] follower;
    final int[] predecessors;
    /** When a move may start at the earliest, ms. */
    final long[] readyMs;
    /** What comes after a move's end (its source powers off), ms. */
    final long[] tailMs;
    /** The most bandwidth the path has, and the least with which it starts, Mbit/s. */
    final long[] mostMbit;

    final long[] leastMbit;
    /** Duration with {@link #mostMbit}, ms. */
    final long[] durationMs;

    final double[] usedMb;
    final double[] hotMb;
    final double[] hotRate;
    final double[] hotSeconds;
    final double[] coldRate;
    final double[] pinnedMb;
    final TransferModel transfer;
    /** What ends at this time whatever is scheduled (boots, power-offs of empty hosts), ms. */
    final long floorMs;

    MoveBatch(BatchBuilder from) {
        moves = List.copyOf(from.moves);
        size = moves.size();
        channelMbit = from.channelMbit;
        pathAt = from.paths.starts();
        path = from.paths.values();
        counterFree = from.counterFree.toLongs();
        takeAt = from.takes.starts();
        takeCounter = from.takes.values();
        takeAmount = from.takes.amounts();
        giveAt = from.gives.starts();
        giveCounter = from.gives.values();
        giveAmount = from.gives.amounts();
        followerAt = from.followers.starts();
        follower = from.followers.values();
        predecessors = new int[size];
        for (int f : follower) {
            predecessors[f]++;
        }
        readyMs = from.readyMs;
        tailMs = from.tailMs;
        transfer = from.transfer;
        floorMs = from.floorMs;
        usedMb = new double[size];
        hotMb = new double[size];
        hotRate = new double[size];
        hotSeconds = new double[size];
        coldRate = new double[size];
        pinnedMb = new double[size];
        mostMbit = new long[size];
        leastMbit = new long[size];
        durationMs = new long[size];
        for (int m = 0; m < size; m++) {
            var ram = from.rams.get(m);
            usedMb[m] = ram.usedMb();
            hotMb[m] = ram.hotMb();
            hotRate[m] = ram.hotMbPerSecond();
            hotSeconds[m] = ram.hotSeconds();
            coldRate[m] = ram.coldMbPerSecond();
            pinnedMb[m] = ram.pinnedMb();
            long most = from.unmodelledMbit;
            for (int p = pathAt[m]; p < pathAt[m + 1]; p++) {
                most = p == pathAt[m] ? channelMbit[path[p]] : Math.min(most, channelMbit[path[p]]);
            }
            most = Math.min(most, transfer.mostMbit());
            mostMbit[m] = most;
            boolean bearable = transfer.blackoutMs(ram, most) <= from.budgetMs[m];
            durationMs[m] = bearable ? duration(m, most) : TransferModel.NEVER_MS;
            leastMbit[m] = least(m, ram, from.budgetMs[m]);
        }
    }

    /** How long move m takes at a bandwidth, ms. */
    long duration(int m, long mbit) {
        return transfer.durationMs(usedMb[m], hotMb[m], hotRate[m], hotSeconds[m], coldRate[m], pinnedMb[m], mbit);
    }

    /**
     * The smallest of 1/2, 1/4, 1/8 of the path with which m is not mainly sending the same pages again and its guest does not stand
     * still for longer than it accepts.
     */
    private long least(int m, RamProfile ram, long budgetMs) {
        long least = mostMbit[m];
        if (durationMs[m] >= TransferModel.NEVER_MS || least == Network.UNLIMITED) {
            return least;
        }
        double work = (double) durationMs[m] * mostMbit[m];
        for (int half = 1; half <= 3; half++) {
            long slower = mostMbit[m] >> half;
            long duration = slower == 0 ? TransferModel.NEVER_MS : duration(m, slower);
            if (duration >= TransferModel.NEVER_MS
                    || transfer.blackoutMs(ram, slower) > budgetMs
                    || (double) duration * slower > work * (1 + WASTE_ACCEPTED)) {
                break;
            }
            least = slower;
        }
        return least;
    }
}
