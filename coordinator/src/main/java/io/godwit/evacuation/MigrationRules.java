package io.godwit.evacuation;

import io.godwit.convergence.Ladder;
import io.godwit.convergence.Policies;
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
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.IncomingReady;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.SaveStarted;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import io.godwit.proto.ownership.OwnershipView;
import java.util.List;
import java.util.Optional;

/**
 * What a migration makes of what it hears: the events to persist, in order; none when it changes nothing (a repeated or
 * late report, which the commands' repetition makes normal). Pure.
 */
public final class MigrationRules {
    /** A native guest dies with its agent; from here one that is only cut off looks the same. */
    private static final String WITH_THE_VM = ", and the VM with it unless the host is only cut off";

    private MigrationRules() {}

    /** The event of a request that nobody has made before and that has no {@link #fault}. */
    public static MigrationRequested requested(StartMigration start, Policies policies) {
        Ladder ladder = policies.of(start.spec(), start.options());
        return new MigrationRequested(
                start.spec(),
                start.from(),
                start.to(),
                start.epoch(),
                start.options(),
                start.evacuation(),
                ladder.text(),
                ladder.first(start.options(), start.spec().blackoutBudgetMs()));
    }

    /** Why a request makes no sense or cannot be met, if so: nothing has been started then. */
    public static Optional<String> fault(StartMigration start, Policies policies) {
        if (start.from().equals(start.to())) {
            return Optional.of("vm '" + start.spec().name() + "' is on host '" + start.to() + "' already");
        }
        if (start.epoch() < 1) {
            return Optional.of("epoch " + start.epoch() + " was never granted; expected 1 or more");
        }
        return policies.fault(start.spec(), start.options());
    }

    /** An operator wants it undone: the events, or empty when it is too late. */
    public static Optional<List<MigrationEvent>> cancel(Asked state, String reason) {
        return switch (state) {
            case Preparing _, Saving _, Opening _, Switching _, Committing _ ->
                Optional.of(List.of(new RollbackBegan(reason, true)));
            case Aborting _, GoingBack _ -> Optional.of(List.of());
            case Resuming _, Releasing _, Ended _ -> Optional.empty();
        };
    }

    /** A host's report, CommandRefused excepted. Reports of a host that plays no such part are ignored. */
    public static List<MigrationEvent> onReport(Asked state, MigrationReport report) {
        var job = state.job();
        boolean fromSource = report.host().equals(job.from());
        boolean fromDestination = report.host().equals(job.to());
        return switch (report) {
            case IncomingReady ready
            when fromDestination && state instanceof Preparing -> List.of(new DestinationPrepared(ready.endpoint()));
            case IncomingFailed failed when fromDestination -> incomingFailed(state, failed.reason());
            case SaveStarted _
            when fromSource && state instanceof Saving saving && !saving.begun() -> List.of(new PreCopyBegan());
            case ReadyToSwitchOver ready
            when fromSource && state instanceof Saving -> List.of(new HandoffWanted(ready.stats()));
            case SaveFailed failed when fromSource -> saveFailed(state, failed);
            case IncomingLoaded loaded
            when fromDestination && state instanceof Switching -> List.of(new DestinationLoaded(loaded.verified()));
            case VmRunning running when fromDestination -> destinationRuns(state, running);
            case VmRunning running
            when fromSource
                    && state instanceof GoingBack back
                    && !back.sourceDone()
                    && back.runEpoch() > 0
                    && running.epoch() >= back.runEpoch() ->
                List.of(new SourceSettled(running.states(), Optional.empty()));
            case SourceReleased released
            when fromSource && state instanceof Releasing ->
                List.of(new SourceLetGo(released.stats(), released.downtime(), released.states(), released.devices()));
            case IncomingDiscarded _
            when fromDestination && state instanceof GoingBack back && !back.destinationDone() ->
                List.of(new DestinationCleared());
            case IncomingReady _,
                    SaveStarted _,
                    ReadyToSwitchOver _,
                    IncomingLoaded _,
                    VmRunning _,
                    SourceReleased _,
                    IncomingDiscarded _,
                    IncomingFailed _,
                    SaveFailed _,
                    CommandRefused _ -> List.of();
        };
    }

    /**
     * The destination asks the ledger for the commit itself, so it may run before this migration has heard of the commit,
     * or even of its being loaded. It runs under a grant of the ledger only, so its word is as good as the ledger's.
     */
    private static List<MigrationEvent> destinationRuns(Asked state, VmRunning running) {
        var ran = new DestinationRan(running.states(), running.standingMicros());
        var committed = new HandoffCommitted(running.epoch());
        boolean granted = running.epoch() == state.job().epoch() + 1;
        return switch (state) {
            case Switching _ when granted -> List.of(new DestinationLoaded(compares(state.job())), committed, ran);
            case Committing _ when granted -> List.of(committed, ran);
            case Aborting aborting
            when granted && (!aborting.trail().destinationGone() || state.job().outlivesAgent()) ->
                List.of(committed, ran);
            case Resuming resuming when running.epoch() == resuming.epoch() -> List.of(ran);
            case Preparing _,
                    Saving _,
                    Opening _,
                    Switching _,
                    Committing _,
                    Resuming _,
                    Releasing _,
                    Aborting _,
                    GoingBack _,
                    Ended _ -> List.of();
        };
    }

    /** A native guest's host loads nothing without comparing when it is told to; QEMU has nothing to compare with. */
    private static boolean compares(MigrationJob job) {
        return job.options().verify() && !job.outlivesAgent();
    }

    private static List<MigrationEvent> incomingFailed(Asked state, String reason) {
        var job = state.job();
        String told = "host " + job.to() + " could not take the VM: " + reason;
        return switch (state) {
            case Preparing _, Saving _, Opening _, Switching _, Committing _ ->
                List.of(new DestinationCleared(), new RollbackBegan(told, false));
            case Resuming _ -> List.of(new MigrationStopped(lost(job, told)));
            case GoingBack back when !back.destinationDone() -> List.of(new DestinationCleared());
            case Aborting aborting when !aborting.trail().destinationGone() -> List.of(new DestinationCleared());
            case Aborting _, GoingBack _, Releasing _, Ended _ -> List.of();
        };
    }

    private static List<MigrationEvent> saveFailed(Asked state, SaveFailed failed) {
        var job = state.job();
        String told = "host " + job.from() + " could not send the VM to host " + job.to() + ": " + failed.reason();
        var settled = new SourceSettled(failed.states(), Optional.empty());
        return switch (state) {
            case Saving _ when failed.surrendered() -> List.of(new RollbackBegan(told, false));
            case Saving _ -> List.of(new RollbackBegan(told, false), settled);
            case Opening _, Switching _ -> List.of(new RollbackBegan(told, false));
            // once it has surrendered, only VmRunning under the new epoch says that it runs
            case GoingBack back
            when !back.sourceDone() && back.runEpoch() == 0 && !failed.surrendered() ->
                // what it gave up for by itself may be why the destination lost the stream, and be told after it
                List.of(
                        failed.cancelled()
                                ? settled
                                : new SourceSettled(failed.states(), Optional.empty(), Optional.of(told)));
            // loaded already: what the source still has to say of the stream changes nothing
            case Committing _, Preparing _, Resuming _, Releasing _, Aborting _, GoingBack _, Ended _ -> List.of();
        };
    }

    /**
     * A host did not accept a command.
     *
     * @param exhausted whether it has refused so often that it will not accept it any more
     */
    public static List<MigrationEvent> onRefused(Asked state, CommandRefused refused, boolean exhausted) {
        var job = state.job();
        boolean fromSource = refused.host().equals(job.from());
        boolean fromDestination = refused.host().equals(job.to());
        String told = "host " + refused.host() + " refused " + refused.command() + ": " + refused.reason();
        return switch (state) {
            case Preparing _
            when fromDestination && refused.command().equals("PrepareIncoming") ->
                List.of(new RollbackBegan(told, false));
            case Saving saving
            when fromSource && !saving.begun() && refused.command().equals("BeginSave") ->
                List.of(new RollbackBegan(told, false));
            case Saving _
            when fromSource && exhausted && refused.command().equals("BeginSave") ->
                List.of(new RollbackBegan(told, false));
            case Switching _
            when fromSource && exhausted && refused.command().equals("SwitchOver") ->
                List.of(new RollbackBegan(told, false));
            case Resuming _
            when fromDestination && exhausted && refused.command().equals("RunVm") ->
                List.of(new MigrationStopped(lost(job, told)));
            case Releasing releasing
            when fromSource && exhausted && refused.command().equals("ReleaseSource") ->
                List.of(new SourceLetGo(releasing.trail().stats(), Downtime.NONE, List.of(), List.of()));
            case GoingBack back when fromSource && !back.sourceDone() -> sourceRefused(back, refused, told, exhausted);
            case GoingBack back
            when fromDestination && !back.destinationDone() && refused.command().equals("DiscardIncoming") ->
                List.of(new DestinationCleared());
            case Preparing _,
                    Saving _,
                    Opening _,
                    Switching _,
                    Committing _,
                    Resuming _,
                    Releasing _,
                    Aborting _,
                    GoingBack _,
                    Ended _ -> List.of();
        };
    }

    private static List<MigrationEvent> sourceRefused(
            GoingBack back, CommandRefused refused, String told, boolean exhausted) {
        if (refused.command().equals("CancelSave") && back.runEpoch() == 0) {
            return List.of(new SourceSettled(List.of(), Optional.empty()));
        }
        if (refused.command().equals("RunVm") && back.runEpoch() > 0 && exhausted) {
            return List.of(new SourceSettled(List.of(), Optional.of(told)));
        }
        return List.of();
    }

    /**
     * The ledger's answer, to whichever of the questions. It is judged by what it says of the VM, not by which question it
     * answers: a repeated question's late answer must not be taken for the answer to the next one.
     */
    public static List<MigrationEvent> onLedger(Asked state, OwnershipReply reply) {
        var job = state.job();
        var view = reply.view();
        if (!view.vm().equals(job.vm())) {
            return List.of();
        }
        boolean open =
                view.handoff().filter(h -> h.migration().equals(job.id())).isPresent();
        boolean settled = view.lastSettled().filter(job.id()::equals).isPresent();
        boolean committed = settled && view.grants(job.to());
        boolean aborted = settled && view.grants(job.from());
        Optional<String> refusal = switch (reply) {
            case OwnershipAccepted _ -> Optional.empty();
            case OwnershipRefused refused -> Optional.of("the ledger refused: " + refused.reason());
        };
        return switch (state) {
            case Opening _ when open -> List.of(new HandoffOpened());
            case Opening _, Switching _
            when aborted -> List.of(new RollbackBegan(refusal.orElse("the ledger aborted the handoff"), false));
            case Opening _ when refusal.isPresent() -> List.of(new RollbackBegan(refusal.get(), false));
            case Committing _, Aborting _ when committed -> committed(state, view.epoch());
            case Committing _ when aborted -> List.of(new RollbackBegan(refusal.orElse("handoff aborted"), false));
            case Committing _ when refusal.isPresent() && !open -> List.of(new RollbackBegan(refusal.get(), false));
            case Aborting _ when aborted -> List.of(new HandoffAborted(view.epoch()));
            case Aborting _
            when refusal.isPresent() && !open && neverOurs(job, view) -> List.of(new HandoffDisowned(refusal.get()));
            case Preparing _,
                    Saving _,
                    Opening _,
                    Switching _,
                    Committing _,
                    Resuming _,
                    Releasing _,
                    Aborting _,
                    GoingBack _,
                    Ended _ -> List.of();
        };
    }

    /**
     * Whether no handoff of this migration can be open or be opened any more. A refusal alone does not say so: it may be the
     * late answer to another question, and meanwhile the handoff was begun and committed.
     */
    private static boolean neverOurs(MigrationJob job, OwnershipView view) {
        boolean taken = view.handoff().isPresent() || view.host().isEmpty();
        return view.epoch() > job.epoch() || (view.epoch() == job.epoch() && taken);
    }

    private static List<MigrationEvent> committed(Asked state, long epoch) {
        var committed = new HandoffCommitted(epoch);
        return state.trail().destinationGone() && !state.job().outlivesAgent()
                ? List.of(committed, new MigrationStopped(lostWithDestination(state.job())))
                : List.of(committed);
    }

    /**
     * The agent of {@code host} has been gone for so long that it will not come back by itself. Its native guests are gone
     * with it. A QEMU guest goes on without its agent, as far as anybody can tell.
     */
    public static List<MigrationEvent> onHostGone(Asked state, String host) {
        var job = state.job();
        if (job.outlivesAgent() && host.equals(job.from())) {
            return sourceAway(state);
        }
        if (host.equals(job.from()) && !state.trail().sourceGone()) {
            return switch (state) {
                case Preparing _, Saving _, Opening _ ->
                    List.of(new SourceVanished(), new RollbackBegan(sourceDied(job), false));
                // the destination may have all of it: wait for its word, or for the watchdog
                case Switching _, Committing _, Aborting _, Resuming _, Releasing _ -> List.of(new SourceVanished());
                case GoingBack back when !back.sourceDone() -> List.of(new SourceVanished());
                case GoingBack _, Ended _ -> List.of();
            };
        }
        if (host.equals(job.to()) && !state.trail().destinationGone()) {
            return switch (state) {
                case Preparing _, Saving _, Opening _, Switching _, Committing _ ->
                    List.of(new DestinationVanished(), new RollbackBegan(destinationDied(job), false));
                case Aborting _ -> List.of(new DestinationVanished());
                case GoingBack back when !back.destinationDone() -> List.of(new DestinationVanished());
                // it has all of it, and runs it when its agent is back and has heard of the grant
                case Resuming _ when job.outlivesAgent() -> List.of();
                case Resuming _ -> List.of(new MigrationStopped(lostWithDestination(job)));
                case GoingBack _, Releasing _, Ended _ -> List.of();
            };
        }
        return List.of();
    }

    /**
     * Nobody can tell the source's QEMU anything, and it may run: the copy at the destination is discarded, which ends what
     * QEMU still sends, and the way back waits until the agent is here again and says how the VM stands.
     */
    private static List<MigrationEvent> sourceAway(Asked state) {
        return switch (state) {
            case Preparing _, Saving _, Opening _ -> List.of(new RollbackBegan(sourceAway(state.job()), false));
            // it has surrendered: an agent that comes back hears from the ledger that it is to let go
            case Releasing releasing when !releasing.trail().sourceGone() -> List.of(new SourceVanished());
            case Switching _, Committing _, Resuming _, Releasing _, Aborting _, GoingBack _, Ended _ -> List.of();
        };
    }

    /** A phase has lasted too long. The ledger's and the later phases have no limit: they have no way back. */
    public static List<MigrationEvent> onOverdue(Asked state, String reason) {
        return switch (state) {
            case Preparing _, Saving _, Opening _, Switching _ -> List.of(new RollbackBegan(reason, false));
            case Committing _, Resuming _, Releasing _, Aborting _, GoingBack _, Ended _ -> List.of();
        };
    }

    /** The events with the source's last word of its progress, where nothing else would keep it. */
    static List<MigrationEvent> with(List<MigrationEvent> events, Optional<SaveStats> stats) {
        return events.stream()
                .map(event -> event instanceof RollbackBegan(var reason, var cancelled, var _)
                        ? new RollbackBegan(reason, cancelled, stats)
                        : event)
                .toList();
    }

    /** A reason with one more, unless it says so already. */
    static String with(String reason, String more) {
        return reason.contains(more) ? reason : reason + "; " + more;
    }

    static String sourceDied(MigrationJob job) {
        return agentGone(job.from()) + WITH_THE_VM;
    }

    static String sourceAway(MigrationJob job) {
        return "host " + job.from() + "'s agent is away; its QEMU may still run the VM";
    }

    static String destinationDied(MigrationJob job) {
        return agentGone(job.to());
    }

    private static String agentGone(String host) {
        return "host " + host + "'s agent is gone";
    }

    private static String lostWithDestination(MigrationJob job) {
        return lost(job, destinationDied(job) + WITH_THE_VM);
    }

    private static String lost(MigrationJob job, String why) {
        return "vm '" + job.vm() + "' is lost after its handoff was committed: " + why;
    }
}
