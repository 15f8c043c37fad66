package io.godwit.stream;

import com.google.protobuf.InvalidProtocolBufferException;
import io.godwit.proto.wire.Frame;
import io.godwit.vm.GuestMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The destination's end of a migration stream. One thread reads the preamble and then receives; any thread may answer or
 * close. Whatever is unknown, oversized, out of order or fails its checksum is refused with a {@link StreamException};
 * what was loaded by then is to be thrown away. After the preamble, nothing is allocated per page or RAM run.
 */
public final class StreamReader implements Closeable {
    private final MigrationChannel channel;
    private final StreamSettings settings;
    private final ChannelInput input;
    private final HeaderReader headers;
    private final ReentrantLock answering = new ReentrantLock();
    private @Nullable Preamble preamble;
    private boolean received;

    /** Takes over the channel: closing the reader closes it. */
    public StreamReader(MigrationChannel channel, StreamSettings settings) {
        this.channel = channel;
        this.settings = settings;
        this.input = new ChannelInput(channel, settings.readAheadBytes());
        this.headers = new HeaderReader(input, settings.headerBytesMax());
    }

    /**
     * Reads the opening and the preamble; once, before all else. Whether it fits this host is the caller's to judge.
     *
     * @throws StreamException when it is not a Godwit stream of this version
     */
    public Preamble readPreamble() throws IOException {
        if (preamble != null) {
            throw new IllegalStateException("the preamble was read before");
        }
        ByteBuffer opening = input.take(Framing.OPENING_BYTES, "opening");
        long magic = opening.getLong();
        if (magic != Framing.MAGIC) {
            throw new StreamException("stream from " + channel.peer() + " begins with " + Framing.hex(magic)
                    + "; expected the magic " + Framing.hex(Framing.MAGIC) + " of a Godwit stream");
        }
        int version = opening.getInt();
        if (version != Framing.VERSION) {
            throw new StreamException("stream of version " + version + "; expected " + Framing.VERSION);
        }
        Frame frame = parse(headers.next("preamble"));
        if (!frame.hasPreamble()) {
            throw new StreamException(frame.getBodyCase() + " frame; expected PREAMBLE first");
        }
        Preamble read = WireForms.preamble(frame.getPreamble(), settings);
        if (read.pageSize() != GuestMemory.PAGE_SIZE || read.ramBytes() < 0 || read.ramBytes() % read.pageSize() != 0) {
            throw new StreamException("RAM of " + read.ramBytes() + " bytes in pages of " + read.pageSize()
                    + "; expected whole pages of " + GuestMemory.PAGE_SIZE);
        }
        preamble = read;
        return read;
    }

    /**
     * Receives everything up to the end of the stream: RAM into {@code memory} directly, the rest through {@code sink}.
     * All of it is loaded when this returns.
     *
     * @return the source's digests; they count when the preamble says verify
     * @throws StreamException when the stream is refused, or the sink refused what came (its exception is the cause)
     * @throws IOException when the channel fails
     */
    public Digests receive(GuestMemory memory, StreamSink sink) throws IOException {
        Preamble announced = preamble;
        if (announced == null || received) {
            throw new IllegalStateException(received ? "the stream was received before" : "no preamble read yet");
        }
        if (memory.bytes() != announced.ramBytes()) {
            throw new StreamException("preamble with RAM of " + announced.ramBytes() + " bytes; expected "
                    + memory.bytes() + ", as was prepared");
        }
        received = true;
        RamReceiver ram = new RamReceiver(input, memory, settings);
        StateReceiver state = new StateReceiver(input, sink, settings, new FrameOrder(announced));
        while (true) {
            ByteBuffer header = headers.next("frame header");
            if (header.get(header.position()) == RamRunHeader.TAG) {
                ram.run(header);
                continue;
            }
            Frame frame = parse(header);
            switch (frame.getBodyCase()) {
                case DEVICE_CHUNK -> state.device(frame.getDeviceChunk());
                case VCPU_STATE -> state.vcpu(frame.getVcpuState());
                case END -> {
                    Digests digests = state.end(frame.getEnd());
                    if (input.hasMore()) {
                        throw new StreamException("data after the end of the stream, at byte " + input.position());
                    }
                    return digests;
                }
                case PREAMBLE -> throw new StreamException("a second preamble; expected it once");
                case RAM_RUN, BODY_NOT_SET ->
                    throw new StreamException("unknown frame before byte " + input.position()
                            + "; expected a RAM run, device chunk, vCPU state or end");
            }
        }
    }

    /** Sends an answer to the source; from any thread. */
    public void answer(Answer answer) throws IOException {
        ByteBuffer header = Framing.header(WireForms.message(answer), settings.headerBytesMax());
        answering.lock();
        try {
            channel.write(new ByteBuffer[] {header}, 0, 1);
        } finally {
            answering.unlock();
        }
    }

    /** The other side, as shown to people. */
    public String peer() {
        return channel.peer();
    }

    /** Bytes received so far, headers included; for the thread that receives. */
    public long bytesRead() {
        return input.position();
    }

    /** Closes the channel, whatever is under way. */
    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static Frame parse(ByteBuffer header) throws StreamException {
        try {
            return Frame.parseFrom(header);
        } catch (InvalidProtocolBufferException e) {
            throw new StreamException("malformed frame header: " + e.getMessage(), e);
        }
    }
}
