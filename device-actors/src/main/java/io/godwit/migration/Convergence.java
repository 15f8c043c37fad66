package io.godwit.migration;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * What follows from a dirty sync: go on with pre-copy, ask for the switchover, or give up. Pure: time and measurements are
 * parameters. One object per migration, because whether it still improves depends on the sync before.
 *
 * <p>The limit is what is bearable, not what is wanted: while another round still shortens the predicted standstill by more
 * than a quarter, and it is not next to its floor yet, the round is taken.
 */
final class Convergence {
    /** What to do. */
    sealed interface Decision {
        /** Another round. */
        record GoOn() implements Decision {}

        /** The standstill, of {@code predictedMicros}, is within the limit and hardly improves any more. Said once. */
        record SwitchOver(long predictedMicros) implements Decision {}

        /** It will not get there. */
        record GiveUp(String reason) implements Decision {}
    }

    /**
     * One sync, measured.
     *
     * @param ramLeftBytes pages to be sent that are not held back
     * @param pinnedBytes pages that are dirty at the stop in any case
     * @param precopyBytes device state that can go while the VM runs
     * @param stopCopyBytes device state that would go if it stopped now, pre-copy bytes included
     * @param bandwidth bytes per second; 0 when none was measured yet
     * @param settled whether the bandwidth is good enough to give up by it
     * @param precopyNanos how long pre-copy has gone on
     * @param acknowledged whether the destination has loaded the devices' initial data: nothing is stopped before
     */
    record Measured(
            long ramLeftBytes,
            long pinnedBytes,
            long precopyBytes,
            long stopCopyBytes,
            long bandwidth,
            boolean settled,
            long precopyNanos,
            boolean acknowledged) {
        Measured(
                DirtySync.Result sync,
                long ramLeftBytes,
                long pinnedBytes,
                long bandwidth,
                boolean settled,
                long precopyNanos,
                boolean acknowledged) {
            this(
                    ramLeftBytes,
                    pinnedBytes,
                    sync.precopyBytes(),
                    sync.stopCopyBytes(),
                    bandwidth,
                    settled,
                    precopyNanos,
                    acknowledged);
        }
    }

    private static final Decision GO_ON = new Decision.GoOn();

    private final DowntimeModel model;
    private final Duration precopyTimeout;
    private final long roundGainMicros;
    private long predictedBefore = Long.MAX_VALUE;
    private boolean asked;

    /**
     * For one migration.
     *
     * @param roundGainMicros no round is taken for a gain below this
     */
    Convergence(DowntimeModel model, Duration precopyTimeout, long roundGainMicros) {
        this.model = model;
        this.precopyTimeout = precopyTimeout;
        this.roundGainMicros = roundGainMicros;
    }

    /** Predicted standstill in microseconds if it began now; out of reach while something is left and no bandwidth known. */
    long predictMicros(Measured now) {
        return model.predictMicros(now.ramLeftBytes, now.pinnedBytes, now.stopCopyBytes, now.bandwidth);
    }

    /** The part of it that no round removes. */
    long floorMicros(Measured now) {
        return model.floorMicros(now.pinnedBytes, Math.max(0, now.stopCopyBytes - now.precopyBytes), now.bandwidth);
    }

    /** To be called once per sync, in order. */
    Decision decide(Measured now, Limits limits) {
        if (asked) {
            return GO_ON;
        }
        long predicted = predictMicros(now);
        if (limits.stopAndCopy() && now.acknowledged) {
            asked = true;
            return new Decision.SwitchOver(predicted);
        }
        long limitMicros = limits.downtimeMicros();
        boolean known = now.bandwidth > 0 || now.ramLeftBytes + now.pinnedBytes + now.stopCopyBytes == 0;
        if (known) {
            // next to the floor there is nothing left to gain, however far the last round came
            boolean room = predicted - floorMicros(now) > Math.max(roundGainMicros, floorMicros(now) / 10);
            boolean improving = room && predicted < predictedBefore - predictedBefore / 4;
            predictedBefore = predicted;
            if (predicted <= limitMicros && !improving && now.acknowledged) {
                asked = true;
                return new Decision.SwitchOver(predicted);
            }
        }
        long floor = floorMicros(now);
        if (floor > limits.ceilingMicros() && now.settled) {
            return new Decision.GiveUp("the standstill cannot be shorter than " + millis(floor) + " (" + now.pinnedBytes
                    + " pinned bytes, device state and fixed costs at " + now.bandwidth
                    + " bytes/s), over the limit of " + millis(limits.ceilingMicros()));
        }
        if (now.precopyNanos > precopyTimeout.toNanos()) {
            return new Decision.GiveUp("did not converge within " + precopyTimeout.toSeconds() + " s of pre-copy: "
                    + (known
                            ? "a standstill of " + millis(predicted) + " would be needed"
                            : "no bandwidth could be measured, " + now.ramLeftBytes + " bytes of RAM are left")
                    + ", the limit is " + millis(limitMicros)
                    + (now.acknowledged
                            ? ""
                            : "; the destination has never said that it has loaded the devices' initial data"));
        }
        return GO_ON;
    }

    private static String millis(long micros) {
        return TimeUnit.MICROSECONDS.toMillis(micros) + " ms";
    }
}
