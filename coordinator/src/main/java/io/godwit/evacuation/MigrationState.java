package io.godwit.evacuation;

import io.godwit.proto.KryoMessage;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationPhase;
import java.util.Optional;

/**
 * Where one migration stands; a record per state, holding only what that state knows. {@link MigrationLog} says which
 * event leads where, {@link MigrationDuties} what is to be done in each.
 *
 * <pre>
 * Unasked → Preparing → Saving → Opening → Switching → Committing → Resuming → Releasing → Ended(COMPLETED)
 *              |           |        |          |           |           |
 *              |           |        +----------+-----------+           +→ Ended(FAILED): the VM is lost
 *              v           v                   v
 *              +-→ GoingBack ←----------- Aborting (the ledger decides; committed after all → Resuming)
 *                      v
 *              Ended(FAILED | CANCELLED)
 * </pre>
 */
public sealed interface MigrationState extends KryoMessage {
    /** Nobody has asked for it. */
    record Unasked(String id) implements MigrationState {}

    /** What all states of a requested migration know. */
    sealed interface Asked extends MigrationState {
        /** What is to be done. */
        MigrationJob job();

        /** What is known so far. */
        MigrationTrail trail();
    }

    /** The destination makes room. */
    record Preparing(MigrationJob job, MigrationTrail trail) implements Asked {}

    /** The source copies while the VM runs; {@code begun} once it has said so. */
    record Saving(MigrationJob job, MigrationTrail trail, DataEndpoint endpoint, boolean begun) implements Asked {}

    /** The ledger is asked to open the handoff; it may be open already. */
    record Opening(MigrationJob job, MigrationTrail trail) implements Asked {}

    /** The handoff is open: the source may have stopped the VM. */
    record Switching(MigrationJob job, MigrationTrail trail) implements Asked {}

    /** The destination is loaded; the ledger is asked to commit, and may have. */
    record Committing(MigrationJob job, MigrationTrail trail) implements Asked {}

    /** Committed: the destination must run the VM under {@code epoch}. No way back. */
    record Resuming(MigrationJob job, MigrationTrail trail, long epoch) implements Asked {}

    /** The destination runs it, and stood {@code standingMicros} before that, if it has said so: the source must let go. */
    record Releasing(MigrationJob job, MigrationTrail trail, long epoch, long standingMicros) implements Asked {}

    /** The ledger is asked to abort; it may have committed. */
    record Aborting(MigrationJob job, MigrationTrail trail, String reason, boolean cancelled) implements Asked {}

    /**
     * The VM stays where it was.
     *
     * @param runEpoch epoch under which the source must run it again; 0 when the source never stopped it
     * @param sourceDone whether the source runs it, or is gone
     * @param destinationDone whether the destination has discarded its copy, or is gone
     */
    record GoingBack(
            MigrationJob job,
            MigrationTrail trail,
            String reason,
            boolean cancelled,
            long runEpoch,
            boolean sourceDone,
            boolean destinationDone)
            implements Asked {
        /** The same, with what was the matter first, although it was told later. */
        GoingBack causedBy(String cause) {
            return new GoingBack(
                    job, trail, MigrationRules.with(cause, reason), cancelled, runEpoch, sourceDone, destinationDone);
        }

        /** The same, with one more thing that was the matter. */
        GoingBack because(String more) {
            return new GoingBack(
                    job, trail, MigrationRules.with(reason, more), cancelled, runEpoch, sourceDone, destinationDone);
        }
    }

    /** Nothing more will happen. */
    record Ended(MigrationJob job, MigrationTrail trail, MigrationPhase phase, Optional<String> reason, long epoch)
            implements Asked {}

    /** The phase as an operator sees it. */
    default MigrationPhase phase() {
        return switch (this) {
            case Unasked _, Preparing _ -> MigrationPhase.PREPARING;
            case Saving _ -> MigrationPhase.PRE_COPY;
            case Opening _ -> MigrationPhase.HANDOFF;
            case Switching _ -> MigrationPhase.SWITCHOVER;
            case Committing _ -> MigrationPhase.COMMITTING;
            case Resuming _ -> MigrationPhase.RESUMING;
            case Releasing _ -> MigrationPhase.RELEASING;
            case Aborting _, GoingBack _ -> MigrationPhase.ROLLING_BACK;
            case Ended ended -> ended.phase();
        };
    }
}
