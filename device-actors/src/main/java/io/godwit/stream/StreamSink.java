package io.godwit.stream;

import java.nio.ByteBuffer;

/** Where device and vCPU state goes at the destination, in the order of the stream, on the thread that receives. */
public interface StreamSink {
    /**
     * One chunk of a device of the preamble, its checksum right, {@link DeviceChunkKind#INITIAL_END} and {@link
     * DeviceChunkKind#END} included.
     *
     * @param chunk valid during the call only: the next chunk overwrites it
     * @throws Exception ends the reception; it becomes the cause of the {@link StreamException}
     */
    void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) throws Exception;

    /**
     * The state of one vCPU, its checksum right.
     *
     * @throws Exception ends the reception, as above
     */
    void vcpu(int index, byte[] state) throws Exception;
}
