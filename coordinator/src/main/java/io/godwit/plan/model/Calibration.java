package io.godwit.plan.model;

import java.util.List;

/** Fits the duration model to migrations that were measured. */
public final class Calibration {
    private static final double LEAST_BITS = 8;
    /** Twice the bytes: whatever needs more is not headers. */
    private static final double MOST_BITS = 16;

    private static final double STEP = 0.01;

    private Calibration() {}

    /**
     * A migration that was measured.
     *
     * @param ram what its guest's memory does
     * @param mbitPerSecond bandwidth that it had
     * @param durationMs how long it took, more than 0
     */
    public record Measured(RamProfile ram, long mbitPerSecond, long durationMs) {}

    /**
     * The model whose durations are nearest to {@code measured}, by {@link #error}.
     *
     * @throws IllegalArgumentException when there are none
     */
    public static TransferModel fit(List<Measured> measured) {
        TransferModel best = TransferModel.STANDARD;
        double least = error(best, measured);
        for (int s = 0; s <= Math.round((MOST_BITS - LEAST_BITS) / STEP); s++) {
            TransferModel model = new TransferModel(LEAST_BITS + s * STEP, TransferModel.STANDARD.roundingMs());
            double error = error(model, measured);
            if (error < least) {
                least = error;
                best = model;
            }
        }
        return best;
    }

    /**
     * How far its durations are off in the mean, as a share of those measured.
     *
     * @throws IllegalArgumentException when there are none
     */
    public static double error(TransferModel model, List<Measured> measured) {
        return measured.stream()
                .mapToDouble(each ->
                        Math.abs((double) model.durationMs(each.ram(), each.mbitPerSecond()) - each.durationMs())
                                / each.durationMs())
                .average()
                .orElseThrow(() -> new IllegalArgumentException("no migration was measured"));
    }
}
