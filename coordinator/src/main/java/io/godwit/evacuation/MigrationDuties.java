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
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.AdjustSave;
import io.godwit.proto.host.HostCommand.BeginSave;
import io.godwit.proto.host.HostCommand.CancelSave;
import io.godwit.proto.host.HostCommand.DiscardIncoming;
import io.godwit.proto.host.HostCommand.PrepareIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.RunVm;
import io.godwit.proto.host.HostCommand.SwitchOver;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a state obliges the migration to do: at once when the state is durable ({@link #mayGoAhead} and {@link #saysNothingNew} are
 * the exceptions), again and again until it is left, and again after a recovery. Derived from the state alone, so a
 * coordinator that dies in between changes nothing.
 */
public final class MigrationDuties {
    private MigrationDuties() {}

    /** A command for a host's agent. */
    public record Order(String host, HostCommand command) {}

    /** What the hosts are to be told. */
    public static List<Order> orders(MigrationState state) {
        if (!(state instanceof Asked asked)) {
            return List.of();
        }
        var job = asked.job();
        return switch (asked) {
            case Preparing _ -> List.of(prepare(job));
            // repeated after it has begun, too: the host's word that it is ready may have been lost with a coordinator
            case Saving saving ->
                List.of(new Order(
                        job.from(),
                        new BeginSave(
                                job.id(),
                                job.vm(),
                                job.epoch(),
                                saving.endpoint(),
                                job.options(),
                                saving.trail().climb().limits())));
            case Switching _ -> {
                Order switchOver = new Order(job.from(), new SwitchOver(job.id(), job.vm(), job.epoch()));
                // QEMU may have loaded all of it before there was a handoff: then its host has only to ask the ledger
                // again,
                // and the VM stands still until it does
                yield job.outlivesAgent() ? List.of(switchOver, prepare(job)) : List.of(switchOver);
            }
            case Resuming resuming -> List.of(new Order(job.to(), new RunVm(job.id(), job.vm(), resuming.epoch())));
            case Releasing releasing ->
                List.of(new Order(
                        job.from(),
                        new ReleaseSource(job.id(), job.vm(), releasing.epoch(), releasing.standingMicros())));
            case GoingBack back -> backOrders(back);
            case Opening _, Committing _, Aborting _, Ended _ -> List.of();
        };
    }

    /**
     * Whether the orders of {@code after} may go out before it is durable, because a coordinator that dies in between takes the
     * same step again: from Preparing on the destination is asked again and the source is told again; in Opening the ledger,
     * where the handoff is durable, is asked again. A source that was told to begin and then forgotten is ended by {@link
     * Leftovers}. In all other states the orders would be wrong if the step were never taken.
     */
    public static boolean mayGoAhead(MigrationState before, MigrationState after) {
        return (before instanceof Preparing && after instanceof Saving)
                || (before instanceof Opening && after instanceof Switching);
    }

    /** Whether {@code after} has nothing to tell the source that it has not just heard, and answered. */
    static boolean saysNothingNew(MigrationState before, MigrationState after) {
        return before instanceof Saving
                && after instanceof Saving
                && orders(before).equals(orders(after));
    }

    /**
     * The word that the limits have changed, until the source says that it keeps them; {@code revisionSeen} is what its
     * latest progress told, empty for none yet. BeginSave tells them, too, but to a source that copies already it is a
     * question only.
     */
    static Optional<Order> adjustment(MigrationState state, OptionalLong revisionSeen) {
        if (!(state instanceof Saving saving)) {
            return Optional.empty();
        }
        var job = saving.job();
        SaveLimits limits = saving.trail().climb().limits();
        return limits.revision() > revisionSeen.orElse(0)
                ? Optional.of(new Order(job.from(), new AdjustSave(job.id(), job.vm(), job.epoch(), limits)))
                : Optional.empty();
    }

    /**
     * What a host is to be told beside {@link #orders}, but not the first time: it is asked to repeat its last word, which
     * may have been lost. In the switchover that is the destination's, that it has loaded the VM or runs it; the first time a
     * native guest's has none, and the answer would only be in the way of a VM that stands still.
     */
    public static Optional<Order> reminder(MigrationState state) {
        return state instanceof Switching switching && !switching.job().outlivesAgent()
                ? Optional.of(prepare(switching.job()))
                : Optional.empty();
    }

    private static Order prepare(MigrationJob job) {
        return new Order(job.to(), new PrepareIncoming(job.id(), job.spec(), job.from(), job.epoch(), job.options()));
    }

    private static List<Order> backOrders(GoingBack back) {
        var job = back.job();
        List<Order> orders = new ArrayList<>();
        if (!back.sourceDone()) {
            orders.add(new Order(
                    job.from(),
                    back.runEpoch() > 0
                            ? new RunVm(job.id(), job.vm(), back.runEpoch())
                            : new CancelSave(job.id(), job.vm(), back.reason())));
        }
        if (!back.destinationDone()) {
            orders.add(new Order(job.to(), new DiscardIncoming(job.id(), job.vm(), back.reason())));
        }
        return orders;
    }

    /** What the ledger is to be asked. */
    public static Optional<OwnershipCommand> question(Asked state, ActorRef<OwnershipReply> replyTo) {
        var job = state.job();
        return switch (state) {
            case Opening _ ->
                Optional.of(new BeginHandoff(
                        job.vm(),
                        job.id(),
                        job.from(),
                        job.to(),
                        job.epoch(),
                        job.options().handoffDeadlineMs(),
                        replyTo));
            case Committing _ -> Optional.of(new CommitHandoff(job.vm(), job.id(), job.epoch(), replyTo));
            case Aborting aborting ->
                Optional.of(new AbortHandoff(job.vm(), job.id(), job.epoch(), aborting.reason(), replyTo));
            case Preparing _, Saving _, Switching _, Resuming _, Releasing _, GoingBack _, Ended _ -> Optional.empty();
        };
    }
}
