package io.godwit.stream;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where a device's state goes at the source. Called from data-plane threads; blocks while the stream is full. */
@FunctionalInterface
public interface DeviceSink {
    /** Sends one chunk; {@code data} is consumed. */
    void chunk(String device, DeviceChunkKind kind, ByteBuffer data) throws IOException;
}
