package io.godwit.ownership;

import io.godwit.ownership.OwnershipEvent.LedgerAborted;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerFenced;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.ownership.OwnershipEvent.LedgerReleased;
import io.godwit.ownership.OwnershipState.Free;
import io.godwit.ownership.OwnershipState.HandingOff;
import io.godwit.ownership.OwnershipState.Held;
import io.godwit.ownership.OwnershipState.Settled;
import io.godwit.ownership.OwnershipState.Waiting;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipCommand.FenceOwnership;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipCommand.ReleaseOwnership;
import io.godwit.proto.ownership.OwnershipCommand.RestartOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import java.util.Optional;

/** Decides what the ledger does with a command. Pure: the same state and command give the same decision. */
public final class OwnershipRules {
    private OwnershipRules() {}

    /**
     * A decision: at most one of the two is present; with neither, the command was done before (or only asked).
     *
     * @param event to be persisted before anyone hears of it
     * @param refusal why nothing is done
     */
    public record Decision(Optional<OwnershipEvent> event, Optional<String> refusal) {
        static final Decision NOTHING_NEW = new Decision(Optional.empty(), Optional.empty());

        static Decision persist(OwnershipEvent event) {
            return new Decision(Optional.of(event), Optional.empty());
        }

        static Decision refuse(String reason) {
            return new Decision(Optional.empty(), Optional.of(reason));
        }

        /** The answer, once {@code after} is durable. */
        public OwnershipReply reply(OwnershipState after) {
            return refusal.<OwnershipReply>map(reason -> new OwnershipRefused(reason, after.view()))
                    .orElseGet(() -> new OwnershipAccepted(after.view()));
        }
    }

    /** What {@code state} does with {@code command}. */
    public static Decision decide(OwnershipState state, OwnershipCommand command) {
        if (!command.vm().equals(state.vm())) {
            return Decision.refuse(
                    "this is the ledger of vm '" + state.vm() + "', the command is for vm '" + command.vm() + "'");
        }
        return switch (command) {
            case QueryOwnership _ -> Decision.NOTHING_NEW;
            case ClaimOwnership claim -> claim(state, claim.host());
            case BeginHandoff begin -> begin(state, begin);
            case CommitHandoff commit -> commit(state, commit.migration(), commit.epoch());
            case AbortHandoff abort -> abort(state, abort.migration(), abort.epoch(), abort.reason());
            case FenceOwnership fence -> fence(state, fence);
            case RestartOwnership restart -> restart(state, restart.host(), restart.epoch());
            case ReleaseOwnership release -> release(state, release.host(), release.epoch());
        };
    }

    /** Whether the handoff that {@code commit} is about is not open, and may yet be: nothing speaks against it but its wish. */
    static boolean mayYetBegin(OwnershipState state, CommitHandoff commit) {
        return commit.vm().equals(state.vm())
                && state instanceof Held held
                && held.epoch() == commit.epoch()
                && settled(held, commit.migration()).isEmpty();
    }

    /** The deadline of {@code migration}'s handoff has passed: aborted if it is still open. */
    public static Optional<OwnershipEvent> expire(OwnershipState state, String migration) {
        if (state instanceof HandingOff open && open.handoff().migration().equals(migration)) {
            return Optional.of(new LedgerAborted(
                    migration,
                    open.epoch() + 1,
                    "no commit within the handoff's deadline of "
                            + open.handoff().deadlineMs() + " ms"));
        }
        return Optional.empty();
    }

    private static Decision claim(OwnershipState state, String host) {
        return switch (state) {
            // a VM that waited to be started anew and was destroyed instead: this one is new
            case Free _, Waiting _ -> Decision.persist(new LedgerClaimed(host, state.epoch() + 1));
            case Held held when held.host().equals(host) -> Decision.NOTHING_NEW;
            case Held held -> Decision.refuse("vm '" + held.vm() + "' belongs to host '" + held.host() + "'");
            case HandingOff open -> Decision.refuse(inHandoff(open));
        };
    }

    private static Decision begin(OwnershipState state, BeginHandoff begin) {
        if (settled(state, begin.migration()).isPresent()) {
            return Decision.refuse("the handoff of migration " + begin.migration() + " is settled already");
        }
        if (begin.deadlineMs() <= 0) {
            return Decision.refuse("a handoff's deadline must be above 0 ms, not " + begin.deadlineMs());
        }
        return switch (state) {
            case HandingOff open
            when open.handoff().migration().equals(begin.migration()) ->
                begin.epoch() == open.epoch() ? Decision.NOTHING_NEW : stale(state, begin.epoch());
            case HandingOff open -> Decision.refuse(inHandoff(open));
            case Free _, Waiting _ -> Decision.refuse("nobody owns vm '" + state.vm() + "'");
            case Held held
            when !held.host().equals(begin.from()) ->
                Decision.refuse(
                        "vm '" + held.vm() + "' belongs to host '" + held.host() + "', not to '" + begin.from() + "'");
            case Held held when held.epoch() != begin.epoch() -> stale(held, begin.epoch());
            case Held held
            when held.host().equals(begin.to()) ->
                Decision.refuse("a handoff needs two hosts, not '" + begin.to() + "' twice");
            case Held _ ->
                Decision.persist(new LedgerHandoffBegun(
                        new Handoff(begin.migration(), begin.from(), begin.to(), begin.deadlineMs())));
        };
    }

    private static Decision commit(OwnershipState state, String migration, long epoch) {
        Optional<Settled> settled = settled(state, migration);
        if (settled.isPresent()) {
            return settled.get().committed()
                    ? Decision.NOTHING_NEW
                    : Decision.refuse("the handoff of migration " + migration + " was aborted");
        }
        return switch (state) {
            case HandingOff open when !open.handoff().migration().equals(migration) -> Decision.refuse(inHandoff(open));
            case HandingOff open when open.epoch() != epoch -> stale(open, epoch);
            case HandingOff open ->
                Decision.persist(new LedgerCommitted(migration, open.handoff().to(), epoch + 1));
            case Held _, Free _, Waiting _ -> Decision.refuse("migration " + migration + " has no open handoff");
        };
    }

    /**
     * An abort at the current epoch of a handoff that never began is accepted too, and moves the epoch on: a begin that
     * is still on its way is then stale, and cannot open a handoff that nobody waits for.
     */
    private static Decision abort(OwnershipState state, String migration, long epoch, String reason) {
        Optional<Settled> settled = settled(state, migration);
        if (settled.isPresent()) {
            return settled.get().committed()
                    ? Decision.refuse("the handoff of migration " + migration + " was committed")
                    : Decision.NOTHING_NEW;
        }
        return switch (state) {
            case HandingOff open when !open.handoff().migration().equals(migration) -> Decision.refuse(inHandoff(open));
            case Free _, Waiting _ -> Decision.refuse("nobody owns vm '" + state.vm() + "'");
            case HandingOff _, Held _ when state.epoch() != epoch -> stale(state, epoch);
            case HandingOff _, Held _ -> Decision.persist(new LedgerAborted(migration, epoch + 1, reason));
        };
    }

    private static Decision release(OwnershipState state, String host, long epoch) {
        return switch (state) {
            case Free free when free.epoch() == 0 -> Decision.refuse("vm '" + free.vm() + "' was never claimed");
            case Free free when epoch > free.epoch() -> stale(free, epoch);
            case Free _ -> Decision.NOTHING_NEW;
            case Waiting waiting when waiting.epoch() != epoch -> stale(waiting, epoch);
            case Waiting waiting -> Decision.persist(new LedgerReleased(host, waiting.epoch()));
            case HandingOff open -> Decision.refuse(inHandoff(open));
            case Held held
            when !held.host().equals(host) ->
                Decision.refuse("vm '" + held.vm() + "' belongs to host '" + held.host() + "', not to '" + host + "'");
            case Held held when held.epoch() != epoch -> stale(held, epoch);
            case Held held -> Decision.persist(new LedgerReleased(host, held.epoch()));
        };
    }

    private static Decision fence(OwnershipState state, FenceOwnership fence) {
        return switch (state) {
            case Waiting waiting when waiting.epoch() == fence.epoch() -> Decision.NOTHING_NEW;
            case Waiting waiting -> stale(waiting, fence.epoch());
            case Free free -> Decision.refuse("nobody owns vm '" + free.vm() + "'");
            case HandingOff open -> Decision.refuse(inHandoff(open));
            case Held held
            when !held.host().equals(fence.host()) ->
                Decision.refuse(
                        "vm '" + held.vm() + "' belongs to host '" + held.host() + "', not to '" + fence.host() + "'");
            case Held held when held.epoch() != fence.epoch() -> stale(held, fence.epoch());
            case Held held -> Decision.persist(new LedgerFenced(held.host(), held.epoch(), fence.reason()));
        };
    }

    /** Only what waits for it: a VM that was destroyed meanwhile, or started anew by another, is not started. */
    private static Decision restart(OwnershipState state, String host, long epoch) {
        return switch (state) {
            case Waiting waiting when waiting.epoch() == epoch -> Decision.persist(new LedgerClaimed(host, epoch + 1));
            case Held held when held.host().equals(host) && held.epoch() == epoch + 1 -> Decision.NOTHING_NEW;
            case Waiting _, Held _, HandingOff _, Free _ ->
                Decision.refuse("vm '" + state.vm() + "' does not wait to be started anew under epoch " + epoch);
        };
    }

    private static Optional<Settled> settled(OwnershipState state, String migration) {
        return state.settled().filter(s -> s.migration().equals(migration));
    }

    private static String inHandoff(HandingOff open) {
        Handoff handoff = open.handoff();
        return "vm '" + open.vm() + "' is being handed off from '" + handoff.from() + "' to '" + handoff.to()
                + "' by migration " + handoff.migration();
    }

    private static Decision stale(OwnershipState state, long epoch) {
        return Decision.refuse(
                "epoch " + epoch + " is not the current one of vm '" + state.vm() + "', which is " + state.epoch());
    }
}
