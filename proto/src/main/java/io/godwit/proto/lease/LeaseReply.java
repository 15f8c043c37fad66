package io.godwit.proto.lease;

import io.godwit.proto.WireMessage;
import java.util.List;

/** Answers of the singleton that lends leases. */
public sealed interface LeaseReply extends WireMessage {
    /**
     * To RenewLeases. A VM that is in neither list has no lease.
     *
     * @param number of the question
     * @param durationMs how long the leases last from the moment that question was sent, by the host's own monotonic clock
     * @param lent VMs that may run meanwhile
     * @param fenced VMs that must never run again under that epoch: they are to be destroyed
     */
    record LeasesRenewed(long number, long durationMs, List<LeasedVm> lent, List<LeasedVm> fenced)
            implements LeaseReply {
        public LeasesRenewed {
            lent = List.copyOf(lent);
            fenced = List.copyOf(fenced);
        }
    }

    /**
     * To FenceVm: durable. No lease is lent under {@code epoch} or an older one any more, and unless that was asked for at
     * once, none lasts.
     */
    record FenceHolds(String vm, long epoch) implements LeaseReply {}

    /** To FenceVm: nothing was done, for a lease may last for {@code waitMs} more, if it is not renewed. */
    record LeaseMayLast(String vm, long waitMs) implements LeaseReply {}
}
