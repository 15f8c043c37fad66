package io.godwit.stream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Reads a channel through a small read-ahead buffer: headers come out of it, payloads go from the channel straight to
 * where they belong, but for what was read ahead. For one thread.
 */
final class ChannelInput {
    private final MigrationChannel channel;
    /** Bytes read ahead: from {@code start} to {@code end}. */
    private final ByteBuffer ahead;
    /** The same bytes, lent to callers of {@link #take}. */
    private final ByteBuffer lent;

    /** How much is read ahead of a header that follows a large payload: the header, hardly more. */
    private static final int SIP_BYTES = 64;

    private int start;
    private int end;
    private long consumed;
    /** Whether the last payload was larger than the buffer: then the next is likely to be, and need not pass it. */
    private boolean large;

    ChannelInput(MigrationChannel channel, int bytes) {
        this.channel = channel;
        this.ahead = Framing.buffer(bytes);
        this.lent = ahead.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes consumed so far. */
    long position() {
        return consumed;
    }

    /** Whether bytes have been read ahead. */
    boolean hasMore() {
        return start < end;
    }

    /** The next {@code bytes}, consumed, at most the size of the buffer; valid until the next call. */
    ByteBuffer take(int bytes, String what) throws IOException {
        if (end - start < bytes) {
            ahead.limit(end).position(start);
            ahead.compact();
            end -= start;
            start = 0;
            while (end < bytes) {
                fill(large ? Math.max(SIP_BYTES, bytes - end) : ahead.capacity() - end, what);
            }
        }
        lent.limit(start + bytes).position(start);
        start += bytes;
        consumed += bytes;
        return lent;
    }

    /** Fills {@code target} from its position to its limit, adding the bytes to {@code crc} while they are in cache. */
    void readFully(ByteBuffer target, CRC32C crc, String what) throws IOException {
        int limit = target.limit();
        large = limit - target.position() > ahead.capacity();
        while (target.position() < limit) {
            int from = target.position();
            int left = limit - from;
            if (start < end) {
                int bytes = Math.min(left, end - start);
                ahead.limit(start + bytes).position(start);
                target.put(ahead);
                start += bytes;
                consumed += bytes;
            } else if (!large && left < ahead.capacity()) {
                // small: read together with what follows it
                start = 0;
                end = 0;
                fill(ahead.capacity(), what);
                continue;
            } else {
                int bytes = channel.read(target);
                if (bytes < 0) {
                    throw early(what);
                }
                consumed += bytes;
            }
            int to = target.position();
            target.limit(to).position(from);
            crc.update(target);
            target.limit(limit);
        }
    }

    private void fill(int most, String what) throws IOException {
        ahead.limit(Math.min(ahead.capacity(), end + most)).position(end);
        int bytes = channel.read(ahead);
        if (bytes < 0) {
            throw early(what);
        }
        end += bytes;
    }

    private StreamException early(String what) {
        long at = consumed + (end - start);
        return new StreamException("stream from " + channel.peer() + " ended early: at byte " + at + ", in " + what);
    }
}
