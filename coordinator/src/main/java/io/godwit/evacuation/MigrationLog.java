package io.godwit.evacuation;

import io.godwit.evacuation.MigrationEvent.ConvergenceStepTaken;
import io.godwit.evacuation.MigrationEvent.DestinationCleared;
import io.godwit.evacuation.MigrationEvent.DestinationLoaded;
import io.godwit.evacuation.MigrationEvent.DestinationPrepared;
import io.godwit.evacuation.MigrationEvent.DestinationRan;
import io.godwit.evacuation.MigrationEvent.DestinationVanished;
import io.godwit.evacuation.MigrationEvent.HandoffAborted;
import io.godwit.evacuation.MigrationEvent.HandoffCommitted;
import io.godwit.evacuation.MigrationEvent.HandoffDisowned;
import io.godwit.evacuation.MigrationEvent.HandoffOpened;
import io.godwit.evacuation.MigrationEvent.HandoffWanted;
import io.godwit.evacuation.MigrationEvent.MigrationRequested;
import io.godwit.evacuation.MigrationEvent.MigrationStopped;
import io.godwit.evacuation.MigrationEvent.PreCopyBegan;
import io.godwit.evacuation.MigrationEvent.RollbackBegan;
import io.godwit.evacuation.MigrationEvent.SourceLetGo;
import io.godwit.evacuation.MigrationEvent.SourceSettled;
import io.godwit.evacuation.MigrationEvent.SourceVanished;
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
import io.godwit.evacuation.MigrationState.Unasked;
import io.godwit.proto.migration.MigrationPhase;
import java.util.Optional;

/** Where each event leads: the only place that changes a migration's state. Pure. */
public final class MigrationLog {
    private MigrationLog() {}

    /**
     * The state after {@code event}.
     *
     * @throws IllegalStateException when the event cannot happen in this state: a bug, never a fault of the world
     */
    public static MigrationState apply(MigrationState state, MigrationEvent event) {
        return switch (state) {
            case Unasked(var id)
            when event instanceof MigrationRequested asked ->
                new Preparing(
                        new MigrationJob(
                                id,
                                asked.spec(),
                                asked.from(),
                                asked.to(),
                                asked.epoch(),
                                asked.options(),
                                asked.evacuation(),
                                asked.ladder()),
                        MigrationTrail.begin(asked.limits()));
            case Unasked _ -> throw impossible(state, event);
            case Asked asked -> applyAsked(asked, event);
        };
    }

    private static MigrationState applyAsked(Asked state, MigrationEvent event) {
        var job = state.job();
        var trail = state.trail();
        return switch (event) {
            case DestinationPrepared(var endpoint)
            when state instanceof Preparing -> new Saving(job, trail, endpoint, false);
            case PreCopyBegan() when state instanceof Saving saving -> new Saving(job, trail, saving.endpoint(), true);
            case ConvergenceStepTaken(var step, var rung)
            when state instanceof Preparing || state instanceof Saving ->
                withTrail(state, trail.withClimb(trail.climb().after(step, rung)));
            case HandoffWanted(var stats) when state instanceof Saving -> new Opening(job, trail.withStats(stats));
            case HandoffOpened() when state instanceof Opening -> new Switching(job, trail);
            case DestinationLoaded(var verified)
            when state instanceof Switching -> new Committing(job, trail.withVerified(verified));
            // also out of Aborting: the commit had won the race
            case HandoffCommitted(var epoch)
            when state instanceof Committing || state instanceof Aborting -> new Resuming(job, trail, epoch);
            case DestinationRan(var states, var standingMicros)
            when state instanceof Resuming resuming -> ran(resuming, trail.plusDestination(states), standingMicros);
            case SourceLetGo let
            when state instanceof Releasing releasing ->
                new Ended(
                        job,
                        trail.withStats(let.stats())
                                .withDowntime(let.downtime())
                                .plusSource(let.states())
                                .withDevices(let.devices()),
                        MigrationPhase.COMPLETED,
                        Optional.empty(),
                        releasing.epoch());
            case RollbackBegan(var reason, var cancelled, var stats) ->
                rollBack(withTrail(state, trail.withLatest(stats)), reason, cancelled);
            case HandoffAborted(var epoch)
            when state instanceof Aborting aborting ->
                settle(new GoingBack(
                        job, trail, fullReason(aborting), aborting.cancelled(), epoch, false, trail.destinationGone()));
            case HandoffDisowned(var why)
            when state instanceof Aborting aborting ->
                settle(new GoingBack(
                        job,
                        trail,
                        fullReason(aborting) + "; " + why,
                        aborting.cancelled(),
                        0,
                        false,
                        trail.destinationGone()));
            case SourceSettled(var states, var trouble, var cause)
            when state instanceof GoingBack back -> sourceSettled(back, trail.plusSource(states), cause, trouble);
            case DestinationCleared() when state instanceof GoingBack back -> destinationCleared(back, trail);
            case DestinationCleared() -> withTrail(state, trail.withoutDestination());
            case SourceVanished() -> sourceVanished(state, trail.withoutSource());
            case DestinationVanished()
            when state instanceof GoingBack back ->
                destinationCleared(
                        back.because(MigrationRules.destinationDied(back.job())), trail.withoutDestination());
            case DestinationVanished()
            when state instanceof Aborting aborting ->
                new Aborting(
                        job,
                        trail.withoutDestination(),
                        MigrationRules.with(aborting.reason(), MigrationRules.destinationDied(job)),
                        aborting.cancelled());
            case DestinationVanished() -> withTrail(state, trail.withoutDestination());
            case MigrationStopped(var reason)
            when state instanceof Resuming resuming ->
                new Ended(job, trail, MigrationPhase.FAILED, Optional.of(reason), resuming.epoch());
            case DestinationPrepared _,
                    PreCopyBegan _,
                    ConvergenceStepTaken _,
                    HandoffWanted _,
                    HandoffOpened _,
                    DestinationLoaded _,
                    HandoffCommitted _,
                    DestinationRan _,
                    SourceLetGo _,
                    HandoffAborted _,
                    HandoffDisowned _,
                    SourceSettled _,
                    MigrationStopped _,
                    MigrationRequested _ -> throw impossible(state, event);
        };
    }

    private static MigrationState ran(Resuming resuming, MigrationTrail trail, long standingMicros) {
        return trail.sourceGone()
                ? new Ended(resuming.job(), trail, MigrationPhase.COMPLETED, Optional.empty(), resuming.epoch())
                : new Releasing(resuming.job(), trail, resuming.epoch(), standingMicros);
    }

    private static MigrationState rollBack(Asked state, String reason, boolean cancelled) {
        var job = state.job();
        var trail = state.trail();
        return switch (state) {
            // the source has not been told of the migration yet
            case Preparing _ -> settle(new GoingBack(job, trail, reason, cancelled, 0, true, trail.destinationGone()));
            case Saving _ -> settle(new GoingBack(job, trail, reason, cancelled, 0, false, trail.destinationGone()));
            case Opening _, Switching _, Committing _ -> new Aborting(job, trail, reason, cancelled);
            case Resuming _, Releasing _, Aborting _, GoingBack _, Ended _ ->
                throw impossible(state, new RollbackBegan(reason, cancelled));
        };
    }

    private static MigrationState sourceSettled(
            GoingBack before, MigrationTrail trail, Optional<String> cause, Optional<String> trouble) {
        GoingBack back = cause.map(before::causedBy).orElse(before);
        String reason = trouble.map(t -> back.reason() + "; " + t).orElse(back.reason());
        return settle(new GoingBack(
                back.job(),
                trouble.isPresent() ? trail.withoutSource() : trail,
                reason,
                back.cancelled(),
                back.runEpoch(),
                true,
                back.destinationDone()));
    }

    private static MigrationState destinationCleared(GoingBack back, MigrationTrail trail) {
        return settle(new GoingBack(
                back.job(), trail, back.reason(), back.cancelled(), back.runEpoch(), back.sourceDone(), true));
    }

    private static MigrationState sourceVanished(Asked state, MigrationTrail trail) {
        return switch (state) {
            case GoingBack back ->
                sourceSettled(back, trail, Optional.empty(), Optional.of(MigrationRules.sourceDied(back.job())));
            case Releasing releasing ->
                new Ended(releasing.job(), trail, MigrationPhase.COMPLETED, Optional.empty(), releasing.epoch());
            case Preparing _, Saving _, Opening _, Switching _, Committing _, Resuming _, Aborting _, Ended _ ->
                withTrail(state, trail);
        };
    }

    private static Asked withTrail(Asked state, MigrationTrail trail) {
        var job = state.job();
        return switch (state) {
            case Preparing _ -> new Preparing(job, trail);
            case Saving saving -> new Saving(job, trail, saving.endpoint(), saving.begun());
            case Opening _ -> new Opening(job, trail);
            case Switching _ -> new Switching(job, trail);
            case Committing _ -> new Committing(job, trail);
            case Resuming resuming -> new Resuming(job, trail, resuming.epoch());
            case Releasing releasing -> new Releasing(job, trail, releasing.epoch(), releasing.standingMicros());
            case Aborting aborting -> new Aborting(job, trail, aborting.reason(), aborting.cancelled());
            case GoingBack _, Ended _ ->
                throw new IllegalStateException("migration " + job.id() + ": the trail is closed in " + state);
        };
    }

    /** Ends the way back once both hosts have answered or are gone. */
    private static MigrationState settle(GoingBack back) {
        boolean sourceDone = back.sourceDone() || back.trail().sourceGone();
        boolean destinationDone = back.destinationDone() || back.trail().destinationGone();
        if (!sourceDone || !destinationDone) {
            return new GoingBack(
                    back.job(),
                    back.trail(),
                    back.reason(),
                    back.cancelled(),
                    back.runEpoch(),
                    sourceDone,
                    destinationDone);
        }
        boolean cancelled = back.cancelled() && !back.trail().sourceGone();
        return new Ended(
                back.job(),
                back.trail(),
                cancelled ? MigrationPhase.CANCELLED : MigrationPhase.FAILED,
                Optional.of(back.reason()),
                Math.max(back.runEpoch(), back.job().epoch()));
    }

    /** Why it is aborted, and that the VM died with the source, if it did. */
    private static String fullReason(Aborting aborting) {
        return aborting.trail().sourceGone()
                ? MigrationRules.with(aborting.reason(), MigrationRules.sourceDied(aborting.job()))
                : aborting.reason();
    }

    private static IllegalStateException impossible(MigrationState state, MigrationEvent event) {
        return new IllegalStateException("a migration in " + state + " cannot take " + event);
    }
}
