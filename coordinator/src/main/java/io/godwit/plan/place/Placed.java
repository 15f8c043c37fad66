package io.godwit.plan.place;

import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Move;
import java.util.List;

/**
 * Destinations for a batch.
 *
 * @param moves one per VM that moves: those asked for, and those that make room for them
 * @param unmoved those that have nowhere to go, and why
 */
public record Placed(List<Move> moves, List<Unmoved> unmoved) {
    /** Copies the lists. */
    public Placed {
        moves = List.copyOf(moves);
        unmoved = List.copyOf(unmoved);
    }
}
