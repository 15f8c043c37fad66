package io.godwit.stream;

import io.godwit.proto.wire.DeviceChunk;
import io.godwit.proto.wire.StreamEnd;
import io.godwit.proto.wire.VcpuState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Receives device and vCPU state, checks it and hands it on. For one thread. */
final class StateReceiver {
    private final ChannelInput input;
    private final StreamSink sink;
    private final StreamSettings settings;
    private final FrameOrder order;
    private final CRC32C crc = new CRC32C();
    /** Grown to the largest chunk seen. */
    private ByteBuffer chunk = Framing.buffer(0);

    StateReceiver(ChannelInput input, StreamSink sink, StreamSettings settings, FrameOrder order) {
        this.input = input;
        this.sink = sink;
        this.settings = settings;
        this.order = order;
    }

    void device(DeviceChunk header) throws IOException {
        String device = header.getDevice();
        DeviceChunkKind kind = kind(header);
        order.device(device, kind, header.getBytes());
        String what = "chunk of device " + device;
        size(what, header.getBytes(), settings.deviceChunkBytesMax(), "device-chunk-max");
        if (chunk.capacity() < header.getBytes()) {
            chunk = Framing.buffer(header.getBytes());
        }
        payload(chunk.clear().limit(header.getBytes()), header.getCrc32C(), what);
        try {
            sink.deviceChunk(device, kind, chunk.flip());
        } catch (Exception e) {
            throw refused("device " + device + " refused its " + kind + " chunk", e);
        }
    }

    void vcpu(VcpuState header) throws IOException {
        order.vcpu(header.getIndex());
        String what = "state of vCPU " + header.getIndex();
        size(what, header.getBytes(), settings.vcpuBytesMax(), "vcpu-state-max");
        byte[] state = new byte[header.getBytes()];
        payload(ByteBuffer.wrap(state), header.getCrc32C(), what);
        try {
            sink.vcpu(header.getIndex(), state);
        } catch (Exception e) {
            throw refused("vCPU " + header.getIndex() + " refused its state", e);
        }
    }

    Digests end(StreamEnd header) throws StreamException {
        Digests digests = WireForms.digests(header);
        order.end(digests, header.getVerify());
        return digests;
    }

    private void payload(ByteBuffer into, int expected, String what) throws IOException {
        crc.reset();
        input.readFully(into, crc, what);
        if ((int) crc.getValue() != expected) {
            throw new StreamException("checksum of the " + what + " is " + Framing.hex((int) crc.getValue())
                    + "; expected " + Framing.hex(expected));
        }
    }

    private static DeviceChunkKind kind(DeviceChunk header) throws StreamException {
        for (DeviceChunkKind kind : DeviceChunkKind.values()) {
            if (kind.name().equals(header.getKind())) {
                return kind;
            }
        }
        throw new StreamException("chunk of device " + header.getDevice() + " is of unknown kind " + header.getKind()
                + "; expected one of " + Arrays.toString(DeviceChunkKind.values()));
    }

    private static void size(String what, int bytes, int max, String setting) throws StreamException {
        if (bytes < 0 || bytes > max) {
            throw new StreamException(
                    what + " has " + bytes + " bytes; expected at most " + max + " (godwit.stream." + setting + ")");
        }
    }

    private static StreamException refused(String what, Exception cause) {
        if (cause instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new StreamException(what + ": " + cause.getMessage(), cause);
    }
}
