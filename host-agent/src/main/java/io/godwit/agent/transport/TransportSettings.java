package io.godwit.agent.transport;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of the transport, from {@code godwit.transport} in reference.conf, where each is explained.
 *
 * @param socketBufferBytes buffer asked of the kernel for what is sent and received; 0 to leave it to the kernel
 * @param connectTimeout how long a connect may take
 * @param unidentifiedMax most incoming connections that have not yet said which migration they belong to
 * @param preambleTimeout how long an incoming connection may take to say so
 * @param acceptRetryDelay pause after a failed accept
 */
public record TransportSettings(
        int socketBufferBytes,
        Duration connectTimeout,
        int unidentifiedMax,
        Duration preambleTimeout,
        Duration acceptRetryDelay) {
    public TransportSettings {
        if (socketBufferBytes < 0 || unidentifiedMax < 1) {
            throw new IllegalArgumentException("godwit.transport: socket-buffer is " + socketBufferBytes
                    + ", unidentified-max is " + unidentifiedMax + "; expected at least 0 and 1");
        }
    }

    /** Reads {@code godwit.transport} of {@code config}. */
    public static TransportSettings from(Config config) {
        Config transport = config.getConfig("godwit.transport");
        return new TransportSettings(
                Math.toIntExact(transport.getBytes("socket-buffer")),
                transport.getDuration("connect-timeout"),
                transport.getInt("unidentified-max"),
                transport.getDuration("preamble-timeout"),
                transport.getDuration("accept-retry-delay"));
    }
}
