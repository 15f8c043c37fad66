package io.godwit.agent;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The agent's limits, from {@code godwit.host}; each is explained in {@code reference.conf}.
 *
 * @param reportInterval how often the inventory is sent when nothing changes
 * @param reportDelay how long a change of a VM that is on its way may wait for that
 * @param lastReportsMax how many ended migrations the agent can repeat its last word of
 * @param selfTestRounds how often the agent migrates a small VM to itself before it serves; 0 for not at all
 * @param selfTestTimeout how long that may take
 * @param leaseInterval how often leases are renewed
 */
public record HostSettings(
        Duration reportInterval,
        Duration reportDelay,
        int lastReportsMax,
        int selfTestRounds,
        Duration selfTestTimeout,
        Duration leaseInterval) {
    /** Reads {@code godwit.host} of an actor system's configuration. */
    public static HostSettings from(Config root) {
        Config config = root.getConfig("godwit.host");
        return new HostSettings(
                config.getDuration("report-interval"),
                config.getDuration("report-delay"),
                config.getInt("last-reports-max"),
                config.getInt("self-test-rounds"),
                config.getDuration("self-test-timeout"),
                config.getDuration("lease-interval"));
    }
}
