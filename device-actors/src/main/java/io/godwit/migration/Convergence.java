package io.godwit.migration;

import io.godwit.proto.estimate.Sending;
import io.godwit.vm.GuestMemory;
import java.time.Duration;

/**
 * What follows from a dirty sync: go on with pre-copy, ask for the switchover, or give up. Pure: time and measurements are
 * parameters. One object per migration, because whether it still improves depends on the round before.
 *
 * <p>The limit is what is bearable, not what is wanted: as long as a round (all that was known to be dirty, sent) shortens
 * the predicted standstill by more than a quarter, and it is not next to its floor yet, the next one is taken. Nothing is
 * asked for before the first round has ended: until then every moment shortens it.
 */
final class Convergence {
    /** What to do. */
    sealed interface Decision {
        /** Another round. */
        record GoOn() implements Decision {}

        /** The standstill is within the limit and hardly improves any more, or must be borne as it is. Said once. */
        record SwitchOver() implements Decision {}

        /** It will not get there. */
        record GiveUp(String reason) implements Decision {}
    }

    private static final Decision GO_ON = new Decision.GoOn();

    private final Duration deadline;
    private final long roundGainMicros;
    private long judgedRounds;
    private long predictedBefore = Sending.NEVER_MICROS;
    private boolean improving = true;
    private boolean asked;

    /**
     * For one migration.
     *
     * @param deadline pre-copy that goes on for longer is given up
     * @param roundGainMicros no round is taken for a gain below this
     */
    Convergence(Duration deadline, long roundGainMicros) {
        this.deadline = deadline;
        this.roundGainMicros = roundGainMicros;
    }

    /**
     * To be called once per sync, in order.
     *
     * @param predicted the standstill if the switchover is asked for now
     * @param floor the part of it that no round removes
     */
    Decision decide(Measured now, Prediction predicted, Prediction floor, Limits limits) {
        if (asked) {
            return GO_ON;
        }
        if (now.rounds() > judgedRounds && predicted.known()) {
            judgedRounds = now.rounds();
            long total = predicted.totalMicros();
            // next to the floor there is nothing left to gain, however far the last round came
            boolean room = total - floor.totalMicros() > Math.max(roundGainMicros, floor.totalMicros() / 10);
            improving = room && total < predictedBefore - predictedBefore / 4;
            predictedBefore = total;
        }
        boolean within = predicted.totalMicros() <= limits.downtimeMicros() && !improving;
        if (now.acknowledged() && (limits.stopAndCopy() || within)) {
            asked = true;
            return new Decision.SwitchOver();
        }
        if (floor.known() && floor.totalMicros() > limits.ceilingMicros() && now.settled() && !limits.stopAndCopy()) {
            return new Decision.GiveUp("the standstill cannot be shorter than " + millis(floor) + ", the limit "
                    + (limits.ceilingMicros() > limits.downtimeMicros() ? "can be raised to " : "is ")
                    + Figures.millis(limits.ceilingMicros()) + ": " + parts(floor));
        }
        if (now.precopyNanos() > deadline.toNanos()) {
            return new Decision.GiveUp(tooLong(now, predicted, limits));
        }
        return GO_ON;
    }

    private String tooLong(Measured now, Prediction predicted, Limits limits) {
        long cpu = now.cpu().perSecond() * GuestMemory.PAGE_SIZE;
        long dma = now.dma().perSecond() * GuestMemory.PAGE_SIZE;
        return "did not converge within " + Figures.seconds(deadline.toNanos()) + " of pre-copy (" + now.rounds()
                + " rounds): "
                + (predicted.known()
                        ? "a standstill of " + millis(predicted) + " would be needed"
                        : "no bandwidth could be measured")
                + ", the limit is " + Figures.millis(limits.downtimeMicros()) + "; "
                + Figures.bytes(now.ramLeftBytes()) + " of RAM, " + Figures.bytes(now.pinnedBytes()) + " pinned and "
                + Figures.bytes(now.stopCopyBytes()) + " of device state are left; the guest dirties "
                + Figures.rate(cpu + dma) + " (CPU " + Figures.rate(cpu) + ", DMA " + Figures.rate(dma)
                + ") and the link takes " + Figures.rate(now.goingBandwidth())
                + (now.bandwidthLimit() > 0 ? " (limit " + Figures.rate(now.bandwidthLimit()) + ")" : "")
                + (now.acknowledged()
                        ? ""
                        : "; the destination has never said that it has loaded the devices' initial data");
    }

    private static String parts(Prediction floor) {
        return Figures.bytes(floor.pinnedBytes()) + " pinned and " + Figures.bytes(floor.deviceBytes())
                + " of device state at " + Figures.rate(floor.bandwidth()) + ", and "
                + Figures.millis(floor.fixedMicros() + floor.digestMicros()) + " besides";
    }

    private static String millis(Prediction prediction) {
        return Figures.millis(prediction.totalMicros());
    }
}
