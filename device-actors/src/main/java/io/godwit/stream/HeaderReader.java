package io.godwit.stream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Reads length, checksum and header of one frame after another, without an object per frame. For one thread. */
final class HeaderReader {
    private final ChannelInput input;
    private final int bytesMax;
    private final CRC32C crc = new CRC32C();

    HeaderReader(ChannelInput input, int bytesMax) {
        this.input = input;
        this.bytesMax = bytesMax;
    }

    /**
     * The next header, its checksum right, between the buffer's position and limit; valid until the input is read again.
     * The caller reads from the buffer but need not consume it.
     *
     * @param what names the frame in errors
     */
    ByteBuffer next(String what) throws IOException {
        ByteBuffer prefix = input.take(Framing.PREFIX_BYTES, what);
        int length = prefix.getInt();
        int expected = prefix.getInt();
        if (length < 1 || length > bytesMax) {
            throw new StreamException("header of " + Integer.toUnsignedString(length) + " bytes in " + what
                    + " before byte " + input.position() + "; expected 1 to " + bytesMax
                    + " (godwit.stream.header-max)");
        }
        ByteBuffer header = input.take(length, what);
        int start = header.position();
        crc.reset();
        crc.update(header);
        header.position(start);
        if ((int) crc.getValue() != expected) {
            throw new StreamException("header checksum is " + Framing.hex((int) crc.getValue()) + " in " + what
                    + " before byte " + input.position() + "; expected " + Framing.hex(expected));
        }
        return header;
    }
}
