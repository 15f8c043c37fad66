package io.godwit.migration;

import io.godwit.proto.host.DataEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * What an agent has learnt of switchovers, per destination, with and without digests: the last few of them, by their
 * measured parts. Safe for any thread; at most two entries for each host of the fleet, of two dozen switchovers each.
 */
public final class LearntDowntime {
    private final ConcurrentMap<Route, List<Switchover>> switchovers = new ConcurrentHashMap<>();
    private final MigrationSettings settings;

    private record Route(DataEndpoint to, boolean verify) {}

    /** Knows nothing yet; begins with what {@code settings} say. */
    public LearntDowntime(MigrationSettings settings) {
        this.settings = settings;
    }

    /** What is known of switchovers to {@code to}. */
    RouteCosts costs(DataEndpoint to, boolean verify) {
        List<Switchover> all = new ArrayList<>();
        switchovers.forEach((_, some) -> all.addAll(some));
        return RouteCosts.of(settings, switchovers.getOrDefault(new Route(to, verify), List.of()), all);
    }

    /** A switchover to {@code to} has been measured. One in which something broke teaches nothing of the next. */
    void learn(DataEndpoint to, boolean verify, Switchover measured) {
        if (measured.mishap(settings.learntFixedMax().toNanos() / 1000)) {
            return;
        }
        switchovers.compute(new Route(to, verify), (_, before) -> {
            List<Switchover> all = new ArrayList<>(before == null ? List.of() : before);
            all.add(measured);
            return RouteCosts.telling(all);
        });
    }
}
