package io.godwit.stream;

import com.google.protobuf.MessageLite;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * How the stream is cut up. It begins with {@link #MAGIC} and the {@link #VERSION}, 32 bits. Then come frames: the
 * header's length and the CRC32C of the header, 32 bits each; the header, a Protobuf message; the payload the header
 * announces, whose CRC32C the header holds. All numbers outside Protobuf are little-endian. The header has a checksum of
 * its own because a page with the right bytes at the wrong address is as bad as a wrong page.
 */
final class Framing {
    /** A line end in it betrays a channel that rewrites text. */
    static final long MAGIC = ByteBuffer.wrap("GODWIT\r\n".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();

    /** Raised by any change that an older reader would misread. */
    static final int VERSION = 1;

    static final int OPENING_BYTES = 12;

    /** Length and checksum before each header. */
    static final int PREFIX_BYTES = 8;

    private Framing() {}

    /** A header with its prefix, ready to be read from the buffer. Allocates: not for RAM runs. */
    static ByteBuffer header(MessageLite message, int bytesMax) throws StreamException {
        byte[] bytes = message.toByteArray();
        if (bytes.length > bytesMax) {
            throw new StreamException("header of " + bytes.length + " bytes; expected at most " + bytesMax
                    + " (godwit.stream.header-max)");
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return buffer(PREFIX_BYTES + bytes.length)
                .putInt(bytes.length)
                .putInt((int) crc.getValue())
                .put(bytes)
                .flip();
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static String hex(int value) {
        return "0x" + Integer.toHexString(value);
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
