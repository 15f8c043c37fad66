package io.godwit.lease;

import io.godwit.lease.LeaseEvent.LeaseFenced;
import io.godwit.lease.LeaseEvent.LeaseRoundHeld;
import io.godwit.proto.WireMessage;
import java.util.HashMap;
import java.util.Map;

/**
 * What lasts of leases.
 *
 * @param fenced by VM, the highest epoch that is fenced off; an entry for every VM that ever was
 */
public record LeaseState(Map<String, Long> fenced) implements WireMessage {
    static final LeaseState EMPTY = new LeaseState(Map.of());

    public LeaseState {
        fenced = Map.copyOf(fenced);
    }

    /** Whether {@code vm} may never run again under {@code epoch}. */
    public boolean isFenced(String vm, long epoch) {
        return fenced.getOrDefault(vm, -1L) >= epoch;
    }

    /** The state after {@code event}. */
    public LeaseState apply(LeaseEvent event) {
        return switch (event) {
            case LeaseRoundHeld() -> this;
            case LeaseFenced(var vm, var epoch) -> {
                Map<String, Long> more = new HashMap<>(fenced);
                more.merge(vm, epoch, Math::max);
                yield new LeaseState(more);
            }
        };
    }
}
