package io.godwit.stream;

import com.google.protobuf.MessageLite;
import io.godwit.vm.GuestMemory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;

/**
 * The source's end of a migration stream. Any data-plane thread may call any method; each frame goes out whole. Methods
 * block while the stream is full or its rate limit says so; {@link #close()} lets all of them go, with an {@link
 * IOException}. After any failure the stream is broken and only {@link #readAnswer()} still has a use: it may hold the
 * reason why the destination refused.
 */
public final class StreamWriter implements DeviceSink, Closeable {
    private final MigrationChannel channel;
    private final StreamSettings settings;
    private final RateLimit rate;
    private final AnswerReader answers;
    /** Fair: whoever sends RAM comes back at once for the next batch, and would never let a device's chunk in. */
    private final ReentrantLock frames = new ReentrantLock(true);

    private final AtomicLong bytesWritten = new AtomicLong();
    private final AtomicLong ramBytesWritten = new AtomicLong();
    private final AtomicLong ramHeldNanos = new AtomicLong();
    private final AtomicLong stateHeldNanos = new AtomicLong();
    private final AtomicLong pagesSent = new AtomicLong();
    private final AtomicLong zeroPages = new AtomicLong();

    // all guarded by frames
    private final Set<String> devices = new HashSet<>();
    private int vcpus;
    private long ramBytes;
    private boolean verify;
    private Stage stage = Stage.NEW;

    /** Where the stream stands. */
    private enum Stage {
        NEW,
        OPEN,
        ENDED,
        BROKEN
    }

    /** Takes over the channel: closing the writer closes it. */
    public StreamWriter(MigrationChannel channel, StreamSettings settings, Pacer pacer) {
        this.channel = channel;
        this.settings = settings;
        this.rate = new RateLimit(pacer, settings.paceSliceMs() * 1_000_000L);
        this.answers = new AnswerReader(channel, settings);
    }

    /** Opens the stream; once, before all else. */
    public void preamble(Preamble preamble) throws IOException {
        ByteBuffer opening = Framing.buffer(Framing.OPENING_BYTES)
                .putLong(Framing.MAGIC)
                .putInt(Framing.VERSION)
                .flip();
        ByteBuffer header = header(WireForms.frame(preamble));
        frames.lock();
        try {
            expect(Stage.NEW);
            preamble.devices().forEach(device -> devices.add(device.name()));
            vcpus = preamble.vcpus();
            ramBytes = preamble.ramBytes();
            verify = preamble.verify();
            put(new ByteBuffer[] {opening, header}, 2, Stage.OPEN);
        } finally {
            frames.unlock();
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException when the preamble has no such device
     * @throws StreamException when the chunk is over {@code godwit.stream.device-chunk-max}
     */
    @Override
    public void chunk(String device, DeviceChunkKind kind, ByteBuffer data) throws IOException {
        limit("chunk of device " + device, data.remaining(), settings.deviceChunkBytesMax(), "device-chunk-max");
        ByteBuffer header = header(WireForms.frame(device, kind, data.remaining(), checksum(data)));
        rate.await(header.remaining() + data.remaining(), stateHeldNanos);
        frames.lock();
        try {
            if (!devices.contains(device)) {
                throw new IllegalArgumentException("device " + device + " is not in the preamble: " + devices);
            }
            write(new ByteBuffer[] {header, data}, 2);
        } finally {
            frames.unlock();
        }
    }

    /**
     * Sends the state of one vCPU, each once.
     *
     * @throws IllegalArgumentException when the preamble has no such vCPU
     * @throws StreamException when the state is over {@code godwit.stream.vcpu-state-max}
     */
    public void vcpu(int index, byte[] state) throws IOException {
        limit("state of vCPU " + index, state.length, settings.vcpuBytesMax(), "vcpu-state-max");
        ByteBuffer data = ByteBuffer.wrap(state);
        ByteBuffer header = header(WireForms.frame(index, state.length, checksum(data)));
        rate.await(header.remaining() + state.length, stateHeldNanos);
        frames.lock();
        try {
            if (index < 0 || index >= vcpus) {
                throw new IllegalArgumentException("vCPU " + index + " of " + vcpus);
            }
            write(new ByteBuffer[] {header, data}, 2);
        } finally {
            frames.unlock();
        }
    }

    /** Ends the stream; {@code digests} count when the preamble says verify, else pass {@link Digests#NONE}. */
    public void end(Digests digests) throws IOException {
        frames.lock();
        try {
            expect(Stage.OPEN);
            ByteBuffer header = header(WireForms.frame(digests, verify));
            put(new ByteBuffer[] {header}, 1, Stage.ENDED);
        } finally {
            frames.unlock();
        }
    }

    /** A sender of RAM runs over this stream, for one thread at a time. {@code memory} is that of the preamble. */
    public RamSender sender(GuestMemory memory) {
        frames.lock();
        try {
            if (stage != Stage.NEW && memory.bytes() != ramBytes) {
                throw new IllegalArgumentException(
                        "RAM of " + memory.bytes() + " bytes; the preamble says " + ramBytes);
            }
        } finally {
            frames.unlock();
        }
        return new RamSender(this, memory, settings);
    }

    /**
     * Waits for the destination's next answer; may be called while others write.
     *
     * @throws StreamException when the answer is malformed, or the channel ends before one
     */
    public Answer readAnswer() throws IOException {
        return answers.next();
    }

    /** Limits what is sent from now on, in bytes per second; 0 for no limit. Lets go of writes that wait for a turn. */
    public void rateLimit(long bytesPerSecond) {
        rate.set(bytesPerSecond);
    }

    /** Whether a write waits for its turn, because of the limit and not of the other side. */
    public boolean heldByRateLimit() {
        return rate.holds();
    }

    /** Bytes written so far, headers included. */
    public long bytesWritten() {
        return bytesWritten.get();
    }

    /** The part of them that was RAM. */
    public long ramBytesWritten() {
        return ramBytesWritten.get();
    }

    /** Nanoseconds for which writes of RAM were held back by the rate limit. */
    public long ramHeldNanos() {
        return ramHeldNanos.get();
    }

    /** Pages sent with their bytes, every copy of the same page counted. */
    public long pagesSent() {
        return pagesSent.get();
    }

    /** Pages sent as zero, without bytes. */
    public long zeroPages() {
        return zeroPages.get();
    }

    /** The other side, as shown to people. */
    public String peer() {
        return channel.peer();
    }

    /** Closes the channel, whatever is under way. */
    @Override
    public void close() throws IOException {
        rate.close();
        channel.close();
    }

    /** Whole RAM frames, gathered by a sender: {@code bytes} in the first {@code count} buffers. */
    void ram(ByteBuffer[] buffers, int count, long bytes, long pages, long zeros) throws IOException {
        rate.await(bytes, ramHeldNanos);
        frames.lock();
        try {
            write(buffers, count);
        } finally {
            frames.unlock();
        }
        ramBytesWritten.addAndGet(bytes);
        pagesSent.addAndGet(pages);
        zeroPages.addAndGet(zeros);
    }

    private void write(ByteBuffer[] buffers, int count) throws IOException {
        expect(Stage.OPEN);
        put(buffers, count, Stage.OPEN);
    }

    private void put(ByteBuffer[] buffers, int count, Stage next) throws IOException {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += buffers[i].remaining();
        }
        // until the frame is out whole, nothing may follow it
        stage = Stage.BROKEN;
        channel.write(buffers, 0, count);
        stage = next;
        bytesWritten.addAndGet(bytes);
    }

    private void expect(Stage expected) throws IOException {
        if (stage == Stage.BROKEN) {
            throw new IOException("the stream to " + channel.peer() + " broke in an earlier write");
        }
        if (stage != expected) {
            throw new IllegalStateException("the stream to " + channel.peer() + " is " + stage + ", not " + expected);
        }
    }

    private ByteBuffer header(MessageLite frame) throws StreamException {
        return Framing.header(frame, settings.headerBytesMax());
    }

    private static int checksum(ByteBuffer data) {
        CRC32C crc = new CRC32C();
        crc.update(data.duplicate());
        return (int) crc.getValue();
    }

    private static void limit(String what, int bytes, int max, String setting) throws StreamException {
        if (bytes > max) {
            throw new StreamException(
                    what + " has " + bytes + " bytes; expected at most " + max + " (godwit.stream." + setting + ")");
        }
    }
}
