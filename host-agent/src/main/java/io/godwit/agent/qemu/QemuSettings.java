package io.godwit.agent.qemu;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.time.Duration;

/**
 * Limits of QEMU guests, from {@code godwit.qemu}; each is explained in {@code reference.conf}.
 *
 * @param binary the program
 * @param startTimeout from the start of the process to the sockets it listens on
 * @param connectTimeout from then to the source's connection
 * @param tick how often a migration is asked how it stands
 * @param quiet how long a QEMU is left alone that is just switching over
 * @param settleInterval how often a QEMU that has completed is asked whether its run state says so, too
 * @param lookInterval how often a guest that runs is asked how it stands
 * @param setupTimeout from the word to migrate to the first byte
 * @param switchoverTimeout from the word to go on at the switchover to the end
 * @param cancelTimeout from the word to cancel to the end
 * @param releaseTimeout from the word that the VM runs at its destination to QEMU's own end of the migration
 * @param recoverDelay from the break of a postcopy's link to the source's attempt to mend it, and between two of the destination's
 * @param recoverInterval between two attempts of the source
 * @param quitTimeout from the word to quit to the end of the process
 * @param lostTimeout how long the monitor of somebody else's QEMU may be out of reach
 * @param transport how guests arrive: {@code tcp}, or {@code unix} where source and destination share a file system
 * @param noDelay whether the TCP sockets of a source's QEMU send what they have at once
 * @param holdDowntime QEMU's downtime limit while it is not to switch over
 * @param tcgLive whether emulated guests run while they are copied, at the price that writes may be lost
 * @param tcgHoldBandwidth bandwidth until an emulated guest stands, in bytes per second
 * @param tcgBandwidth what an emulated guest's copying is taken to run at, in bytes per second
 * @param unlimitedBandwidth limit that stands for none, in bytes per second
 * @param fixedDowntime part of a standstill that no byte count explains
 * @param multifdChannels streams of a migration with multifd
 * @param stderrBytes how much of the end of QEMU's stderr an error quotes
 * @param qmp limits of its QMP connections
 */
public record QemuSettings(
        String binary,
        Duration startTimeout,
        Duration connectTimeout,
        Duration tick,
        Duration quiet,
        Duration settleInterval,
        Duration lookInterval,
        Duration setupTimeout,
        Duration switchoverTimeout,
        Duration cancelTimeout,
        Duration releaseTimeout,
        Duration recoverDelay,
        Duration recoverInterval,
        Duration quitTimeout,
        Duration lostTimeout,
        String transport,
        boolean noDelay,
        Duration holdDowntime,
        boolean tcgLive,
        long tcgHoldBandwidth,
        long tcgBandwidth,
        long unlimitedBandwidth,
        Duration fixedDowntime,
        int multifdChannels,
        int stderrBytes,
        QmpSettings qmp) {
    /** Reads {@code godwit.qemu} of an actor system's configuration. */
    public static QemuSettings from(Config root) {
        Config config = root.getConfig("godwit.qemu");
        return new QemuSettings(
                config.getString("binary"),
                config.getDuration("start-timeout"),
                config.getDuration("connect-timeout"),
                config.getDuration("tick"),
                config.getDuration("quiet"),
                config.getDuration("settle-interval"),
                config.getDuration("look-interval"),
                config.getDuration("setup-timeout"),
                config.getDuration("switchover-timeout"),
                config.getDuration("cancel-timeout"),
                config.getDuration("release-timeout"),
                config.getDuration("recover-delay"),
                config.getDuration("recover-interval"),
                config.getDuration("quit-timeout"),
                config.getDuration("lost-timeout"),
                transport(config),
                config.getBoolean("no-delay"),
                config.getDuration("hold-downtime"),
                config.getBoolean("tcg-live"),
                config.getBytes("tcg-hold-bandwidth"),
                config.getBytes("tcg-bandwidth"),
                config.getBytes("unlimited-bandwidth"),
                config.getDuration("fixed-downtime"),
                config.getInt("multifd-channels"),
                Math.toIntExact(config.getBytes("stderr-bytes")),
                QmpSettings.from(root));
    }

    private static String transport(Config config) {
        String transport = config.getString("transport");
        if (!transport.equals("tcp") && !transport.equals("unix")) {
            throw new ConfigException.BadValue(
                    config.origin(), "godwit.qemu.transport", "'" + transport + "'; expected tcp or unix");
        }
        return transport;
    }
}
