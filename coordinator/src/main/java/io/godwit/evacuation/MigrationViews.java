package io.godwit.evacuation;

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
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A migration as it is shown: what is durable, and the source's latest progress, which is not. */
final class MigrationViews {
    private MigrationViews() {}

    /**
     * @param progress the source's latest, if it has sent any to this incarnation of the entity
     * @param live triples seen in progress so far; shown until the source has reported its whole list
     */
    static MigrationView of(Asked state, Optional<Progress> progress, List<StateTriple> live) {
        var job = state.job();
        var trail = state.trail();
        boolean sourceReported = !trail.source().isEmpty();
        SaveStats stats = progress.map(Progress::stats)
                .filter(_ -> !(state instanceof Ended))
                .orElse(trail.stats());
        return new MigrationView(
                job.id(),
                job.vm(),
                job.from(),
                job.to(),
                job.spec().driver(),
                state.phase(),
                reason(state),
                trail.sourceGone() && state instanceof Ended && state.phase() != MigrationPhase.COMPLETED,
                epoch(state),
                sourceReported
                        ? trail.states()
                        : Stream.concat(live.stream(), trail.destination().stream())
                                .toList(),
                stats,
                trail.downtime(),
                trail.verified(),
                progress.filter(_ -> state instanceof Saving)
                        .map(Progress::remainingBytes)
                        .orElse(0L),
                retryable(state),
                trail.climb().limits(),
                trail.climb().steps(),
                progress.filter(_ -> state instanceof Saving));
    }

    /** Failed, not cancelled: nobody wants to see a cancelled one again. */
    private static boolean retryable(Asked state) {
        return state instanceof GoingBack back
                && back.sourceDone()
                && !back.trail().sourceGone()
                && !back.cancelled();
    }

    private static Optional<String> reason(Asked state) {
        return switch (state) {
            case Aborting aborting -> Optional.of(aborting.reason());
            case GoingBack back -> Optional.of(back.reason());
            case Ended ended -> ended.reason();
            case Preparing _, Saving _, Opening _, Switching _, Committing _, Resuming _, Releasing _ ->
                Optional.empty();
        };
    }

    private static long epoch(Asked state) {
        return switch (state) {
            case Resuming resuming -> resuming.epoch();
            case Releasing releasing -> releasing.epoch();
            case GoingBack back -> Math.max(back.runEpoch(), back.job().epoch());
            case Ended ended -> ended.epoch();
            case Preparing _, Saving _, Opening _, Switching _, Committing _, Aborting _ ->
                state.job().epoch();
        };
    }
}
