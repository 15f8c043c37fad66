package io.godwit.stream;

import io.godwit.proto.host.DataEndpoint;
import java.io.IOException;

/** Opens channels to hosts that accept migration streams. Blocks: call it from data-plane threads. */
@FunctionalInterface
public interface StreamConnector {
    /**
     * Connects.
     *
     * @throws IOException naming the endpoint and why it could not be reached
     */
    MigrationChannel connect(DataEndpoint to) throws IOException;
}
