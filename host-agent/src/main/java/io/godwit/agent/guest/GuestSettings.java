package io.godwit.agent.guest;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of the native guest drivers, from {@code godwit.guest} in reference.conf, which says why each has its value.
 *
 * @param batchPages most pages a vCPU writes between two looks at its stop flag
 * @param paceQuantum shortest wait of a paced vCPU
 * @param catchUpMax debt of a paced vCPU that is not forgiven
 * @param idleInterval how often an idle vCPU passes through its guest
 * @param throttleSlice length of one turn of working and being held back
 * @param pauseTimeout how long a vCPU may take to stand still
 * @param hugePages whether guest RAM asks for 2 MiB pages
 */
public record GuestSettings(
        int batchPages,
        Duration paceQuantum,
        Duration catchUpMax,
        Duration idleInterval,
        Duration throttleSlice,
        Duration pauseTimeout,
        boolean hugePages) {

    /** Refuses what no guest could run with. */
    public GuestSettings {
        if (batchPages < 1) {
            throw new IllegalArgumentException(
                    "godwit.guest.batch-pages is " + batchPages + "; expected at least 1 page");
        }
        positive("pace-quantum", paceQuantum);
        positive("catch-up-max", catchUpMax);
        positive("idle-interval", idleInterval);
        positive("throttle-slice", throttleSlice);
        positive("pause-timeout", pauseTimeout);
    }

    /**
     * Reads them from the root of a configuration.
     *
     * @throws com.typesafe.config.ConfigException naming a missing key or one of the wrong type
     * @throws IllegalArgumentException naming a value out of range
     */
    public static GuestSettings from(Config root) {
        Config config = root.getConfig("godwit.guest");
        return new GuestSettings(
                config.getInt("batch-pages"),
                config.getDuration("pace-quantum"),
                config.getDuration("catch-up-max"),
                config.getDuration("idle-interval"),
                config.getDuration("throttle-slice"),
                config.getDuration("pause-timeout"),
                config.getBoolean("huge-pages"));
    }

    private static void positive(String key, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException(
                    "godwit.guest." + key + " is " + value + "; expected a duration above zero");
        }
    }
}
