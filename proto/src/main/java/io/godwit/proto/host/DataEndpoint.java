package io.godwit.proto.host;

import io.godwit.proto.WireMessage;

/** Where a host accepts migration streams: a host name or address, and a TCP port. */
public record DataEndpoint(String host, int port) implements WireMessage {
    @Override
    public String toString() {
        return host + ":" + port;
    }
}
