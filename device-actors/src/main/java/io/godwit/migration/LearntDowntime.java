package io.godwit.migration;

import io.godwit.proto.host.DataEndpoint;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * What an agent has learnt of the part of a standstill that no byte count explains, per destination,
 * with and without digests: after every migration it moves half-way by what the measured standstill differed from the predicted one. Half, because a single
 * busy moment must not spoil the next promise. Safe for any thread; at most two entries for each host of the fleet.
 */
public final class LearntDowntime {
    private static final long MICROS_MAX = Duration.ofSeconds(60).toNanos() / 1000;

    private final ConcurrentMap<Route, Long> fixedMicros = new ConcurrentHashMap<>();
    private final long startMicros;

    private record Route(DataEndpoint to, boolean verify) {}

    /** Begins with {@link MigrationSettings#fixedDowntime()} for every destination. */
    public LearntDowntime(MigrationSettings settings) {
        this.startMicros = settings.fixedDowntime().toNanos() / 1000;
    }

    /** The estimate for {@code to}, in microseconds. */
    long fixedMicros(DataEndpoint to, boolean verify) {
        return fixedMicros.getOrDefault(new Route(to, verify), startMicros);
    }

    /** A migration to {@code to} stood still for {@code measuredMicros}, and {@code predictedMicros} had been promised. */
    void learn(DataEndpoint to, boolean verify, long predictedMicros, long measuredMicros) {
        fixedMicros.compute(new Route(to, verify), (_, before) -> {
            long known = before == null ? startMicros : before;
            return Math.clamp(known + (measuredMicros - predictedMicros) / 2, 0, MICROS_MAX);
        });
    }
}
