package io.godwit.evacuation;

import io.godwit.convergence.Climb;
import io.godwit.convergence.Climbing;
import io.godwit.convergence.Ladder;
import io.godwit.convergence.LadderStep;
import io.godwit.evacuation.MigrationEvent.ConvergenceStepTaken;
import io.godwit.evacuation.MigrationEvent.RollbackBegan;
import io.godwit.evacuation.MigrationState.Aborting;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Committing;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.evacuation.MigrationState.GoingBack;
import io.godwit.evacuation.MigrationState.Opening;
import io.godwit.evacuation.MigrationState.Preparing;
import io.godwit.evacuation.MigrationState.Releasing;
import io.godwit.evacuation.MigrationState.Resuming;
import io.godwit.evacuation.MigrationState.Saving;
import io.godwit.evacuation.MigrationState.Switching;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.MigrationRequest.AdjustMigration;
import io.godwit.proto.migration.SaveLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The events by which a migration's limits change: by its ladder, or by an operator. Pure. */
final class ConvergenceRules {
    /** What an operator's request says of a limit that is to stay as it is. */
    private static final long AS_IT_IS = -1;

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

    /** Why an operator's limits are not taken, if they are not. */
    static Optional<String> fault(Asked state, AdjustMigration asked) {
        return switch (state) {
            case Preparing _, Saving _ -> fault(state.job(), asked);
            case Opening _, Switching _, Committing _, Resuming _, Releasing _ ->
                Optional.of("its handoff has begun (" + state.phase() + "): limits change only while it pre-copies");
            case Aborting _, GoingBack _ ->
                Optional.of("it is being rolled back: limits change only while it pre-copies");
            case Ended _ -> Optional.of("it has ended as " + state.phase());
        };
    }

    private static Optional<String> fault(MigrationJob job, AdjustMigration asked) {
        long limitMs = asked.downtimeLimitMs();
        long bandwidth = asked.bandwidthBytesPerSecond();
        long budgetMs = job.spec().blackoutBudgetMs();
        if (limitMs == AS_IT_IS && bandwidth == AS_IT_IS) {
            return Optional.of("nothing to change; expected a downtime limit, a bandwidth or both");
        }
        if (limitMs != AS_IT_IS && limitMs < 1) {
            return Optional.of("a downtime limit of " + limitMs + " ms; expected 1 ms or more");
        }
        if (limitMs > budgetMs) {
            return Optional.of("a downtime limit of " + limitMs + " ms is over the blackout budget of vm '" + job.vm()
                    + "'; expected at most its " + budgetMs + " ms");
        }
        if (bandwidth != AS_IT_IS && bandwidth != 0 && bandwidth < Ladder.BANDWIDTH_BYTES_MIN) {
            return Optional.of("a bandwidth of " + bandwidth + " bytes/s; expected 0 for no limit, or 1 MiB/s or more");
        }
        return Optional.empty();
    }

    /**
     * An operator's limits, when there is no {@link #fault}: none when they are in force already. Its place on the ladder stays.
     *
     * @param precopyMillis how long it has pre-copied, as far as the source has told
     */
    static List<MigrationEvent> adjust(Asked state, AdjustMigration asked, long precopyMillis) {
        Climb climb = state.trail().climb();
        SaveLimits now = climb.limits();
        List<String> steps = new ArrayList<>();
        long limitMs = now.downtimeLimitMs();
        if (asked.downtimeLimitMs() != AS_IT_IS && asked.downtimeLimitMs() != limitMs) {
            limitMs = asked.downtimeLimitMs();
            steps.add(new LadderStep.Downtime(limitMs).text());
        }
        long bandwidth = now.bandwidthBytesPerSecond();
        if (asked.bandwidthBytesPerSecond() != AS_IT_IS && asked.bandwidthBytesPerSecond() != bandwidth) {
            bandwidth = asked.bandwidthBytesPerSecond();
            steps.add(new LadderStep.Bandwidth(bandwidth).text());
        }
        if (steps.isEmpty()) {
            return List.of();
        }
        SaveLimits set = new SaveLimits(
                now.revision() + 1,
                limitMs,
                limitMs,
                bandwidth,
                now.throttlePercent(),
                now.stopAndCopy(),
                now.postcopy());
        SaveLimits ceiled = Ladder.parse(state.job().ladder())
                .ceiled(set, climb.rung(), state.job().spec().blackoutBudgetMs());
        return List.of(new ConvergenceStepTaken(
                new ConvergenceStep(precopyMillis, String.join(", ", steps), "set by an operator", ceiled),
                climb.rung()));
    }
}
