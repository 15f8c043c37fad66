package io.godwit.plan.schedule;

import io.godwit.plan.model.TransferModel;
import java.util.Arrays;

/** Times that no schedule of a batch can beat. */
final class LowerBound {
    private LowerBound() {}

    /**
     * The larger of two: the busiest link (all its traffic, each migration at its least wasteful, after the earliest start
     * and before the shortest tail of those that use it), and the longest single migration with its own start and tail.
     */
    static long ms(MoveBatch batch) {
        int channels = batch.channelMbit.length;
        double[] work = new double[channels];
        long[] ready = new long[channels];
        long[] tail = new long[channels];
        Arrays.fill(ready, Long.MAX_VALUE);
        Arrays.fill(tail, Long.MAX_VALUE);
        long bound = batch.floorMs;
        for (int m = 0; m < batch.size; m++) {
            if (batch.durationMs[m] >= TransferModel.NEVER_MS) {
                continue;
            }
            bound = Math.max(bound, batch.readyMs[m] + batch.durationMs[m] + batch.tailMs[m]);
            for (int p = batch.pathAt[m]; p < batch.pathAt[m + 1]; p++) {
                int c = batch.path[p];
                work[c] += (double) batch.durationMs[m] * batch.mostMbit[m] / batch.channelMbit[c];
                ready[c] = Math.min(ready[c], batch.readyMs[m]);
                tail[c] = Math.min(tail[c], batch.tailMs[m]);
            }
        }
        for (int c = 0; c < channels; c++) {
            if (work[c] > 0) {
                bound = Math.max(bound, ready[c] + (long) Math.ceil(work[c] - 1e-6) + tail[c]);
            }
        }
        return bound;
    }
}
