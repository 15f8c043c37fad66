package io.godwit.lease;

import io.godwit.proto.lease.LeaseCommand.FenceVm;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What one lender has lent since it began: when each VM's lease was last answered for. No more than that is to be known: what
 * an earlier lender lent has run out when this one has been there for as long as a lease can last. Not durable, no clock of its
 * own; times are nanoseconds of one monotonic clock.
 */
public final class LeaseBook {
    private final LeaseTerms terms;
    private final Map<String, Long> answered = new HashMap<>();
    private OptionalLong begun = OptionalLong.empty();

    /** A lender that has yet to begin. */
    public LeaseBook(LeaseTerms terms) {
        this.terms = terms;
    }

    /** It is the only lender from now on: its first round is durable. */
    public void begin(long nowNanos) {
        if (begun.isEmpty()) {
            begun = OptionalLong.of(nowNanos);
        }
    }

    /** Whether it has begun. */
    public boolean hasBegun() {
        return begun.isPresent();
    }

    /** The answer to {@code asked}, given now; every lease in it counts from now. */
    public LeasesRenewed lend(LeaseState lasting, RenewLeases asked, long nowNanos) {
        List<LeasedVm> lent = new ArrayList<>();
        List<LeasedVm> fenced = new ArrayList<>();
        for (LeasedVm vm : asked.vms()) {
            if (lasting.isFenced(vm.vm(), vm.epoch())) {
                fenced.add(vm);
            } else {
                lent.add(vm);
                answered.put(vm.vm(), nowNanos);
            }
        }
        return new LeasesRenewed(asked.number(), terms.duration().toMillis(), lent, fenced);
    }

    /** Nanoseconds until no lease of {@code vm}, lent by anybody under any epoch, can last any more; 0 when none can. */
    public long mayLastNanos(String vm, long nowNanos) {
        if (begun.isEmpty()) {
            return terms.overAfterNanos();
        }
        long from = begun.getAsLong();
        Long last = answered.get(vm);
        if (last != null && last - from > 0) {
            from = last;
        }
        return Math.max(0, terms.overAfterNanos() - (nowNanos - from));
    }

    /** Whether {@code asked} may be made durable now: nothing runs under what it fences off, or the asker sees to that. */
    public boolean mayFence(FenceVm asked, long nowNanos) {
        return asked.atOnce() || mayLastNanos(asked.vm(), nowNanos) == 0;
    }

    /** Forgets leases that have run out: what is kept is bounded by what is lent. */
    public void forget(long nowNanos) {
        if (begun.isPresent() && nowNanos - begun.getAsLong() > terms.overAfterNanos()) {
            answered.values().removeIf(last -> nowNanos - last > terms.overAfterNanos());
        }
    }
}
