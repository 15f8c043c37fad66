package io.godwit.plan.simulate;

import java.util.Arrays;

/** Bandwidth as transport protocols share it out: no flow can have more without another that has no more getting less (max-min). */
final class FairShare {
    private final double[] capacity;
    private final double[] free;
    private final int[] unfixed;

    /** @param capacity of each channel, Mbit/s */
    FairShare(double[] capacity) {
        this.capacity = capacity;
        free = new double[capacity.length];
        unfixed = new int[capacity.length];
    }

    /**
     * Shares out.
     *
     * @param paths channels of every flow
     * @param flows the flows that run, {@code count} of them
     * @param most what each flow takes at most, Mbit/s
     * @param mbit gets what each flow has
     */
    void share(int[][] paths, int[] flows, int count, double[] most, double[] mbit) {
        System.arraycopy(capacity, 0, free, 0, capacity.length);
        Arrays.fill(unfixed, 0);
        for (int f = 0; f < count; f++) {
            mbit[flows[f]] = -1;
            for (int channel : paths[flows[f]]) {
                unfixed[channel]++;
            }
        }
        int left = count;
        while (left > 0) {
            double least = Double.MAX_VALUE;
            for (int f = 0; f < count; f++) {
                if (mbit[flows[f]] < 0) {
                    least = Math.min(least, fair(paths[flows[f]], most[flows[f]]));
                }
            }
            int before = left;
            for (int f = 0; f < count; f++) {
                int flow = flows[f];
                if (mbit[flow] < 0 && fair(paths[flow], most[flow]) <= least * (1 + 1e-9)) {
                    mbit[flow] = least;
                    left--;
                    for (int channel : paths[flow]) {
                        free[channel] = Math.max(0, free[channel] - least);
                        unfixed[channel]--;
                    }
                }
            }
            if (left == before) {
                throw new IllegalStateException("no flow is the tightest of " + left);
            }
        }
    }

    private double fair(int[] path, double most) {
        double fair = most;
        for (int channel : path) {
            fair = Math.min(fair, free[channel] / unfixed[channel]);
        }
        return fair;
    }
}
