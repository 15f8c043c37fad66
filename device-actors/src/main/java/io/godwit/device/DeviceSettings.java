package io.godwit.device;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The limits of device actors, from {@code godwit.device}; each is explained in {@code reference.conf}.
 *
 * @param chunkBytes state moved at once
 * @param stashMax hooks that may wait while another runs
 * @param historyMax hooks remembered
 * @param hookTimeout how long a hook may be in the device before its asker is told that it failed
 */
record DeviceSettings(int chunkBytes, int stashMax, int historyMax, Duration hookTimeout) {
    /**
     * Reads them from an actor system's configuration.
     *
     * @throws IllegalArgumentException when a hook would outlast the step of a migration that waits for it
     */
    static DeviceSettings from(Config root) {
        Config config = root.getConfig("godwit.device");
        Duration hook = config.getDuration("hook-timeout");
        Duration step = root.getDuration("godwit.migration.step-timeout");
        if (hook.compareTo(step) >= 0) {
            throw new IllegalArgumentException("godwit.device.hook-timeout of " + hook.toMillis()
                    + " ms; expected less than godwit.migration.step-timeout, " + step.toMillis() + " ms");
        }
        return new DeviceSettings(
                Math.toIntExact(config.getBytes("chunk-bytes")),
                config.getInt("stash-max"),
                config.getInt("history-max"),
                hook);
    }
}
