package io.godwit.safety;

import io.godwit.lease.LeaseBook;
import io.godwit.lease.LeaseEvent.LeaseFenced;
import io.godwit.lease.LeaseState;
import io.godwit.lease.LeaseTerms;
import io.godwit.proto.lease.LeaseCommand.FenceVm;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.safety.LeaseWorld.Lender;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A VM under a lease on host a, two lenders of which the second succeeds the first at any time whether that is dead or not, and
 * a host b on which it is started anew. Whose turn it is is free: so anybody is late, or asleep, for any time. Clocks tick at
 * the rates that they are given. What the lender lends and fences is decided by the real {@link LeaseBook}, {@link LeaseState}
 * and {@link LeaseTerms}.
 */
final class LeaseModel {
    /** Units that a right clock counts in a tick; a slow one counts 1, a fast one 3. */
    static final int NOMINAL = 2;

    private static final int LEASE_UNITS = 4;
    private static final int STOP_TICKS = 1;
    private static final String VM = "x";
    private static final int LONG_AGO = -1000;
    private static final int ROUNDS = 2;

    private final Set<LeaseGuard> guards;
    private final int hostRate;
    private final int lenderRate;
    private final int horizon;
    private final int asksMax;
    private final LeaseTerms terms;
    private final ActorRef<LeaseReply> nobody;

    LeaseModel(
            Set<LeaseGuard> guards,
            int hostRate,
            int lenderRate,
            int horizon,
            int asksMax,
            ActorRef<LeaseReply> nobody) {
        this.guards = guards;
        this.hostRate = hostRate;
        this.lenderRate = lenderRate;
        this.horizon = horizon;
        this.asksMax = asksMax;
        this.nobody = nobody;
        this.terms = new LeaseTerms(
                Duration.ofNanos(LEASE_UNITS),
                keeps(LeaseGuard.DRIFT_IS_RECKONED_WITH) ? 0.5 : 0,
                Duration.ofNanos(keeps(LeaseGuard.STOPPING_TAKES_TIME) ? STOP_TICKS * NOMINAL : 0));
    }

    boolean keeps(LeaseGuard guard) {
        return guards.contains(guard);
    }

    /** Host a runs the VM under the lease of a question that it sent, and that was answered, at once at tick 0. */
    LeaseWorld begin() {
        Lender first = new Lender(1, 0, 0, 0, false, ROUNDS);
        Lender none = first.gone();
        return new LeaseWorld(0, LEASE_UNITS, false, -1, 1, 0, 0, first, none, 1, false, false);
    }

    /** Whether host a's vCPUs may run at some moment from this tick to the next. */
    boolean runsOnA(LeaseWorld world) {
        if (world.asleep()) {
            return false;
        }
        // the lease, by its clock, and then the time that stopping takes
        boolean leased = world.tick() * hostRate < world.until() + STOP_TICKS * hostRate;
        return leased || (!keeps(LeaseGuard.VCPUS_LOOK_FOR_THEMSELVES) && world.wokeAt() == world.tick());
    }

    boolean runsOnB(LeaseWorld world) {
        return world.moved();
    }

    /** Everything that may happen next. */
    void steps(LeaseWorld world, BiConsumer<String, LeaseWorld> next) {
        if (world.tick() < horizon) {
            next.accept("time passes, it is " + (world.tick() + 1), ticked(world));
        }
        host(world, next);
        lender(world, true, next);
        lender(world, false, next);
        if (!world.second().there() && world.second().rounds() == 0 && world.tick() > 0) {
            next.accept(
                    "a successor reads the journal",
                    world.with(false, new Lender(world.journalled(), -1, -1, 0, world.fenced(), ROUNDS)));
        }
    }

    /** Leases and answers that are over for certain are forgotten, so that worlds that differ in nothing else are one. */
    private LeaseWorld ticked(LeaseWorld world) {
        int then = world.tick() + 1;
        int until = then * hostRate < world.until() + STOP_TICKS * hostRate ? world.until() : 0;
        int lent = world.lent();
        if (keeps(LeaseGuard.COUNTS_FROM_THE_QUESTION)) {
            for (int sent = 0; sent <= world.tick(); sent++) {
                if (then * hostRate >= sent * hostRate + LEASE_UNITS + STOP_TICKS * hostRate) {
                    lent &= ~(1 << sent);
                }
            }
        }
        return world.ticked(until, lent);
    }

    private void host(LeaseWorld world, BiConsumer<String, LeaseWorld> next) {
        int tick = world.tick();
        if (world.asleep()) {
            next.accept("host a wakes", world.withHost(world.until(), false, tick, world.sleeps(), world.asked()));
            return;
        }
        if (world.sleeps() > 0) {
            next.accept(
                    "host a is stopped",
                    world.withHost(world.until(), true, world.wokeAt(), world.sleeps() - 1, world.asked()));
        }
        if (Integer.bitCount(world.asked()) < asksMax && (world.asked() & 1 << tick) == 0) {
            next.accept(
                    "host a asks",
                    world.withHost(world.until(), false, world.wokeAt(), world.sleeps(), world.asked() | 1 << tick));
        }
        for (int sent = 0; sent <= tick; sent++) {
            if ((world.lent() & 1 << sent) != 0) {
                int from = keeps(LeaseGuard.COUNTS_FROM_THE_QUESTION) ? sent : tick;
                int until = Math.max(world.until(), from * hostRate + LEASE_UNITS);
                next.accept(
                        "host a hears the answer to its question of " + sent,
                        world.withHost(until, false, world.wokeAt(), world.sleeps(), world.asked()));
            }
        }
    }

    private void lender(LeaseWorld world, boolean isFirst, BiConsumer<String, LeaseWorld> next) {
        Lender lender = isFirst ? world.first() : world.second();
        String name = isFirst ? "the first lender" : "the second lender";
        if (!lender.there()) {
            return;
        }
        if (lender.rounds() > 0) {
            next.accept(name + " holds a round with no question", round(world, isFirst, lender, 0));
            for (int sent = 0; sent <= world.tick(); sent++) {
                if ((world.asked() & 1 << sent) != 0) {
                    next.accept(
                            name + " holds a round with the question of " + sent,
                            round(world, isFirst, lender, 1 << sent));
                }
            }
        }
        int toAnswer = keeps(LeaseGuard.A_ROUND_BEFORE_EVERY_ANSWER) ? lender.written() : world.asked();
        if (toAnswer != 0) {
            next.accept(name + " answers", answered(world, isFirst, lender, toAnswer));
        }
        if (mayFence(world, lender) && !lender.fenced()) {
            next.accept(name + " fences", fence(world, isFirst, lender));
        }
        boolean held = keeps(LeaseGuard.FENCE_IS_DURABLE) ? world.fenced() : lender.fenced();
        if (lender.fenced() && held && !world.moved()) {
            next.accept("the ledger moves, and host b runs", world.movedOn());
        }
    }

    private LeaseWorld round(LeaseWorld world, boolean isFirst, Lender lender, int question) {
        if (keeps(LeaseGuard.ONE_WRITER) && lender.seen() != world.journalled()) {
            return world.with(isFirst, lender.gone());
        }
        int writes = world.journalled() + 1;
        return world.withJournal(writes, world.fenced())
                .with(
                        isFirst,
                        new Lender(
                                writes,
                                lender.begun() < 0 ? world.tick() : lender.begun(),
                                lender.answered(),
                                lender.written() | question,
                                lender.fenced(),
                                lender.rounds() - 1));
    }

    private LeaseWorld answered(LeaseWorld world, boolean isFirst, Lender lender, int questions) {
        LeaseState lasting = lender.fenced() && keeps(LeaseGuard.FENCED_EPOCHS_GET_NO_LEASE)
                ? new LeaseState(Map.of()).apply(new LeaseFenced(VM, 1))
                : new LeaseState(Map.of());
        boolean lends =
                !book(lender).lend(lasting, renew(), clock(world)).lent().isEmpty();
        Lender after = new Lender(
                lender.seen(),
                lender.begun(),
                lends ? world.tick() : lender.answered(),
                0,
                lender.fenced(),
                lender.rounds());
        return world.withLent(lends ? world.lent() | questions : world.lent()).with(isFirst, after);
    }

    private LeaseWorld fence(LeaseWorld world, boolean isFirst, Lender lender) {
        if (!keeps(LeaseGuard.FENCE_IS_DURABLE)) {
            return world.with(isFirst, fenced(lender, lender.seen()));
        }
        if (keeps(LeaseGuard.ONE_WRITER) && lender.seen() != world.journalled()) {
            return world.with(isFirst, lender.gone());
        }
        int writes = world.journalled() + 1;
        return world.withJournal(writes, true).with(isFirst, fenced(lender, writes));
    }

    private static Lender fenced(Lender lender, int seen) {
        return new Lender(seen, lender.begun(), lender.answered(), lender.written(), true, lender.rounds());
    }

    private boolean mayFence(LeaseWorld world, Lender lender) {
        return !keeps(LeaseGuard.WAITS_FOR_THE_LEASE)
                || book(lender).mayFence(new FenceVm(VM, 1, false, nobody), clock(world));
    }

    /** What the lender knows, as the real one would. */
    private LeaseBook book(Lender lender) {
        LeaseBook book = new LeaseBook(terms);
        if (!keeps(LeaseGuard.SUCCESSOR_WAITS_A_LEASE)) {
            book.begin(LONG_AGO);
        } else if (lender.begun() >= 0) {
            book.begin((long) lender.begun() * lenderRate);
        }
        if (lender.answered() >= 0) {
            var _ = book.lend(new LeaseState(Map.of()), renew(), (long) lender.answered() * lenderRate);
        }
        return book;
    }

    private RenewLeases renew() {
        return new RenewLeases("a", 0, List.of(new LeasedVm(VM, 1)), nobody);
    }

    private long clock(LeaseWorld world) {
        return (long) world.tick() * lenderRate;
    }
}
