package io.godwit.stream;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/** Reads the destination's answers on the stream's way back. Threads take turns. */
final class AnswerReader {
    private final HeaderReader headers;
    private final ReentrantLock turn = new ReentrantLock();

    AnswerReader(MigrationChannel channel, StreamSettings settings) {
        int bytes = Framing.PREFIX_BYTES + settings.headerBytesMax();
        this.headers = new HeaderReader(new ChannelInput(channel, bytes), settings.headerBytesMax());
    }

    Answer next() throws IOException {
        turn.lock();
        try {
            ByteBuffer header = headers.next("answer");
            return WireForms.answer(io.godwit.proto.wire.Answer.parseFrom(header));
        } catch (InvalidProtocolBufferException e) {
            throw new StreamException("malformed answer: " + e.getMessage(), e);
        } finally {
            turn.unlock();
        }
    }
}
