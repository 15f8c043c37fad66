package io.godwit.agent.transport;

import io.godwit.stream.MigrationChannel;

/** An accepted connection that has still to say which migration it belongs to. */
public interface IncomingConnection {
    /** Its channel, which the handler now owns and must close. */
    MigrationChannel channel();

    /**
     * Ends its probation once its preamble was read and fits: it no longer counts against the limit, the preamble timeout
     * no longer applies, and closing the listener leaves it alone.
     *
     * @return false when it came too late: the channel is closed
     */
    boolean identified();
}
