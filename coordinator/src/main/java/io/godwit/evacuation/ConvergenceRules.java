package io.godwit.evacuation;

import io.godwit.convergence.Climbing;
import io.godwit.evacuation.MigrationEvent.ConvergenceStepTaken;
import io.godwit.evacuation.MigrationEvent.RollbackBegan;
import java.util.List;

/** The events by which a migration's limits change. Pure. */
final class ConvergenceRules {
    private ConvergenceRules() {}

    /** What its ladder makes of the source's progress. */
    static List<MigrationEvent> onVerdict(Climbing.Verdict verdict) {
        return switch (verdict) {
            case Climbing.Verdict.Stay _ -> List.of();
            case Climbing.Verdict.Step(var step, var rung) -> List.of(new ConvergenceStepTaken(step, rung));
            case Climbing.Verdict.GiveUp(var step, var rung, var reason) ->
                List.of(new ConvergenceStepTaken(step, rung), new RollbackBegan(reason, false));
        };
    }
}
