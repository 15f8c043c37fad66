package io.godwit.demo;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of the demo, from {@code godwit.demo}; reasons are in reference.conf.
 *
 * @param startLimit for a process to be ready, and for the hosts to be seen
 * @param bootLimit for the QEMU guests to have booted
 * @param warmUp how long the guests run before the evacuation
 * @param evacuationLimit for the evacuation
 * @param runOn how long the guests run on at their destinations before they are checked
 * @param settleLimit for the hosts' reports to catch up with the ledger
 * @param stopLimit for a process to end by itself
 * @param pollInterval between two looks
 */
public record DemoSettings(
        Duration startLimit,
        Duration bootLimit,
        Duration warmUp,
        Duration evacuationLimit,
        Duration runOn,
        Duration settleLimit,
        Duration stopLimit,
        Duration pollInterval) {
    /** Reads them. */
    public static DemoSettings of(Config root) {
        Config demo = root.getConfig("godwit.demo");
        return new DemoSettings(
                demo.getDuration("start-limit"),
                demo.getDuration("boot-limit"),
                demo.getDuration("warm-up"),
                demo.getDuration("evacuation-limit"),
                demo.getDuration("run-on"),
                demo.getDuration("settle-limit"),
                demo.getDuration("stop-limit"),
                demo.getDuration("poll-interval"));
    }
}
