package io.godwit.ownership;

import io.godwit.ownership.OwnershipEvent.LedgerAborted;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerFenced;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.ownership.OwnershipEvent.LedgerReleased;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipView;
import java.util.Optional;

/**
 * Who may run one VM.
 *
 * <pre>
 * Free      --LedgerClaimed------> Held        epoch + 1
 * Held      --LedgerHandoffBegun-> HandingOff  same epoch
 * HandingOff --LedgerCommitted---> Held        by the destination, epoch + 1
 * HandingOff --LedgerAborted-----> Held        by the source, epoch + 1
 * Held      --LedgerAborted------> Held        epoch + 1 (a handoff that never began is fenced off)
 * Held      --LedgerReleased-----> Free        same epoch
 * Held      --LedgerFenced-------> Waiting     same epoch
 * Waiting   --LedgerClaimed------> Held        epoch + 1 (started anew)
 * Waiting   --LedgerReleased-----> Free        same epoch (given up)
 * </pre>
 *
 * Any other event is a bug and stops the entity.
 */
public sealed interface OwnershipState {
    /** The VM. */
    String vm();

    /** Current epoch; 0 before the first claim; only grows. */
    long epoch();

    /** How the last handoff ended, if there was one. */
    Optional<Settled> settled();

    /** Nobody may run the VM: it was never claimed (epoch 0), or it was released. */
    record Free(String vm, long epoch, Optional<Settled> settled) implements OwnershipState {}

    /** Nobody may run the VM, which was fenced off for {@code reason} and is to be started anew. */
    record Waiting(String vm, long epoch, String reason, Optional<Settled> settled) implements OwnershipState {}

    /** {@code host} may run the VM. */
    record Held(String vm, String host, long epoch, Optional<Settled> settled) implements OwnershipState {}

    /** A handoff is open: {@code handoff.from()} is the owner and may have stopped the VM. */
    record HandingOff(String vm, long epoch, Handoff handoff, Optional<Settled> settled) implements OwnershipState {}

    /**
     * The handoff that was settled last.
     *
     * @param committed whether the destination won
     */
    record Settled(String migration, boolean committed) {}

    /** A VM that nobody has claimed yet. */
    static OwnershipState empty(String vm) {
        return new Free(vm, 0, Optional.empty());
    }

    /** The state after {@code event}. */
    default OwnershipState apply(OwnershipEvent event) {
        OwnershipState next = switch (event) {
            case LedgerClaimed(var host, var epoch)
            when this instanceof Free || this instanceof Waiting -> new Held(vm(), host, epoch, settled());
            case LedgerHandoffBegun(var handoff)
            when this instanceof Held -> new HandingOff(vm(), epoch(), handoff, settled());
            case LedgerCommitted(var migration, var host, var epoch)
            when this instanceof HandingOff -> new Held(vm(), host, epoch, Optional.of(new Settled(migration, true)));
            case LedgerAborted aborted
            when owner().isPresent() ->
                new Held(vm(), owner().get(), aborted.epoch(), Optional.of(new Settled(aborted.migration(), false)));
            case LedgerFenced(var _, var epoch, var reason)
            when this instanceof Held -> new Waiting(vm(), epoch, reason, settled());
            case LedgerReleased released
            when this instanceof Held || this instanceof Waiting -> new Free(vm(), released.epoch(), settled());
            case LedgerClaimed _,
                    LedgerHandoffBegun _,
                    LedgerCommitted _,
                    LedgerAborted _,
                    LedgerFenced _,
                    LedgerReleased _ ->
                throw new IllegalStateException("ledger of " + vm() + ": " + event + " in " + this);
        };
        if (next.epoch() < epoch()) {
            throw new IllegalStateException("ledger of " + vm() + ": epoch would shrink by " + event + " in " + this);
        }
        return next;
    }

    /** The host that may run the VM now. */
    default Optional<String> owner() {
        return switch (this) {
            case Free _, Waiting _ -> Optional.empty();
            case Held held -> Optional.of(held.host());
            case HandingOff open -> Optional.of(open.handoff().from());
        };
    }

    /** The open handoff, if any. */
    default Optional<Handoff> openHandoff() {
        return this instanceof HandingOff open ? Optional.of(open.handoff()) : Optional.empty();
    }

    /** What is shown to whoever asks. */
    default OwnershipView view() {
        return new OwnershipView(
                vm(),
                owner(),
                epoch(),
                openHandoff(),
                settled().map(Settled::migration),
                this instanceof Waiting waiting ? Optional.of(waiting.reason()) : Optional.empty());
    }
}
