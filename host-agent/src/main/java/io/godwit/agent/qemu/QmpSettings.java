package io.godwit.agent.qemu;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of QMP connections, from {@code godwit.qemu.qmp}; each is explained in {@code reference.conf}.
 *
 * @param handshakeTimeout from the connection to the end of the negotiation
 * @param commandTimeout for an answer
 * @param reconnectInterval between a broken link and the next attempt
 * @param waitingMax most commands that wait for their turn
 * @param readBytes read from the socket at once
 * @param lineBytesMax longest line taken in
 */
public record QmpSettings(
        Duration handshakeTimeout,
        Duration commandTimeout,
        Duration reconnectInterval,
        int waitingMax,
        int readBytes,
        int lineBytesMax) {
    /** Reads {@code godwit.qemu.qmp} of an actor system's configuration. */
    public static QmpSettings from(Config root) {
        Config config = root.getConfig("godwit.qemu.qmp");
        return new QmpSettings(
                config.getDuration("handshake-timeout"),
                config.getDuration("command-timeout"),
                config.getDuration("reconnect-interval"),
                config.getInt("waiting-max"),
                Math.toIntExact(config.getBytes("read-bytes")),
                Math.toIntExact(config.getBytes("line-max")));
    }
}
