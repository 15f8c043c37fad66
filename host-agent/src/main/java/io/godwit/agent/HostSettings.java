package io.godwit.agent;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The agent's limits, from {@code godwit.host}; each is explained in {@code reference.conf}.
 *
 * @param reportInterval how often the inventory is sent when nothing changes
 * @param lastReportsMax how many ended migrations the agent can repeat its last word of
 */
public record HostSettings(Duration reportInterval, int lastReportsMax) {
    /** Reads {@code godwit.host} of an actor system's configuration. */
    public static HostSettings from(Config root) {
        Config config = root.getConfig("godwit.host");
        return new HostSettings(config.getDuration("report-interval"), config.getInt("last-reports-max"));
    }
}
