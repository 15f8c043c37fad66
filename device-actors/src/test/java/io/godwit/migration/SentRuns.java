package io.godwit.migration;

import com.google.protobuf.InvalidProtocolBufferException;
import io.godwit.proto.wire.Frame;
import io.godwit.stream.MigrationChannel;
import io.godwit.stream.Pacer;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamSink;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Keeps a stream, and tells which runs of RAM went through it. */
final class SentRuns {
    /** Bytes before the first frame, and before each frame's header: see the README of the stream. */
    private static final int OPENING = 12;

    private static final int PREFIX = 8;

    /** One run: first page, number of pages, whether they went as zero, header bytes. */
    record Run(long page, long pages, boolean zero, int headerBytes) {
        boolean holds(long which) {
            return page <= which && which < page + pages;
        }
    }

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    StreamWriter writer(StreamSettings settings) {
        return new StreamWriter(new Tape(bytes, ByteBuffer.allocate(0)), settings, Pacer.parking(() -> 0));
    }

    /** Receives the whole stream into {@code memory}. */
    void receive(StreamSettings settings, GuestMemory memory, StreamSink sink) throws IOException {
        StreamReader reader =
                new StreamReader(new Tape(new ByteArrayOutputStream(), ByteBuffer.wrap(bytes.toByteArray())), settings);
        reader.readPreamble();
        reader.receive(memory, sink);
    }

    /** Every run so far, in order. */
    List<Run> runs() throws InvalidProtocolBufferException {
        ByteBuffer all = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        List<Run> runs = new ArrayList<>();
        for (int at = OPENING; at < all.limit(); ) {
            int header = all.getInt(at);
            Frame frame = Frame.parseFrom(all.slice(at + PREFIX, header));
            at += PREFIX + header;
            switch (frame.getBodyCase()) {
                case RAM_RUN -> {
                    var run = frame.getRamRun();
                    long page = run.getGpa() / GuestMemory.PAGE_SIZE;
                    runs.add(new Run(page, run.getPages(), run.getZero(), PREFIX + header));
                    at += run.getZero() ? 0 : run.getPages() * GuestMemory.PAGE_SIZE;
                }
                case VCPU_STATE -> at += frame.getVcpuState().getBytes();
                default -> {}
            }
        }
        return runs;
    }

    private record Tape(ByteArrayOutputStream written, ByteBuffer recorded) implements MigrationChannel {
        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) {
            for (int i = offset; i < offset + length; i++) {
                byte[] part = new byte[buffers[i].remaining()];
                buffers[i].get(part);
                written.writeBytes(part);
            }
        }

        @Override
        public int read(ByteBuffer into) {
            int count = Math.min(into.remaining(), recorded.remaining());
            if (count == 0) {
                return -1;
            }
            into.put(recorded.slice(recorded.position(), count));
            recorded.position(recorded.position() + count);
            return count;
        }

        @Override
        public String peer() {
            return "tape";
        }

        @Override
        public void close() {}
    }
}
