package io.godwit.stream;

import io.godwit.proto.wire.Frame;
import io.godwit.proto.wire.RamRun;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The header of a RAM run, written and read without an object per run: the Protobuf encoding of {@code Frame{ram_run}}
 * by hand. One instance per thread; it holds the run read last.
 */
final class RamRunHeader {
    /** Tag of {@code Frame.ram_run}: the first byte of every header of this kind. */
    static final byte TAG = tag(Frame.RAM_RUN_FIELD_NUMBER, 2);

    /** Prefix, tag, length, and four fields at their longest. */
    static final int FRAME_BYTES_MAX = Framing.PREFIX_BYTES + 2 + (1 + 10) + (1 + 5) + 2 + 5;

    private static final byte GPA = tag(RamRun.GPA_FIELD_NUMBER, 0);
    private static final byte PAGES = tag(RamRun.PAGES_FIELD_NUMBER, 0);
    private static final byte ZERO = tag(RamRun.ZERO_FIELD_NUMBER, 0);
    private static final byte CRC = tag(RamRun.CRC32C_FIELD_NUMBER, 5);

    long gpa;
    int pages;
    boolean zero;
    int crc32c;

    private final CRC32C headerCrc = new CRC32C();

    private static byte tag(int field, int wireType) {
        return (byte) (field << 3 | wireType);
    }

    /** Puts prefix and header at {@code out}'s position; gpa 0 and zero false are left out, as Protobuf does. */
    void put(ByteBuffer out, long runGpa, int runPages, boolean runZero, int runCrc) {
        int start = out.position();
        int header = start + Framing.PREFIX_BYTES;
        out.position(header + 2);
        if (runGpa != 0) {
            putVarint(out.put(GPA), runGpa);
        }
        putVarint(out.put(PAGES), runPages);
        if (runZero) {
            out.put(ZERO).put((byte) 1);
        }
        if (!runZero) {
            // even when it is 0: the length of a data run's header must be known before its checksum is
            out.put(CRC).putInt(runCrc);
        }
        int end = out.position();
        // the body is shorter than 128 bytes, so its length takes one byte
        out.put(header, TAG).put(header + 1, (byte) (end - header - 2));
        out.putInt(start, end - header);
        out.putInt(start + Integer.BYTES, checksum(out, header, end));
        out.position(end);
    }

    /** How many bytes {@link #put} writes for a run that is not zero, whatever its checksum. */
    static int dataFrameBytes(long gpa, int pages) {
        return Framing.PREFIX_BYTES + 2 + (gpa == 0 ? 0 : 1 + varintBytes(gpa)) + 1 + varintBytes(pages) + 5;
    }

    private static int varintBytes(long value) {
        return Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(value) + 6) / 7);
    }

    /** Reads the header that fills {@code in} from its position to its limit, and consumes it. */
    void read(ByteBuffer in) throws StreamException {
        gpa = 0;
        pages = 0;
        zero = false;
        crc32c = 0;
        in.get();
        if (!in.hasRemaining() || in.get() != in.remaining()) {
            throw new StreamException("malformed RAM run header: its length is not that of its frame");
        }
        int last = 0;
        while (in.hasRemaining()) {
            byte tag = in.get();
            if (tag <= last) {
                throw new StreamException("malformed RAM run header: field tag " + tag + " after " + last
                        + "; expected fields in order, each once");
            }
            last = tag;
            if (tag == GPA) {
                gpa = varint(in);
            } else if (tag == PAGES) {
                long count = varint(in);
                if (count < 1 || count > Integer.MAX_VALUE) {
                    throw new StreamException("RAM run of " + count + " pages; expected at least 1");
                }
                pages = (int) count;
            } else if (tag == ZERO) {
                zero = varint(in) != 0;
            } else if (tag == CRC && in.remaining() >= Integer.BYTES) {
                crc32c = in.getInt();
            } else {
                throw new StreamException("malformed RAM run header: unknown or cut field, tag " + tag);
            }
        }
    }

    private int checksum(ByteBuffer buffer, int from, int to) {
        int limit = buffer.limit();
        buffer.limit(to).position(from);
        headerCrc.reset();
        headerCrc.update(buffer);
        buffer.limit(limit);
        return (int) headerCrc.getValue();
    }

    private static void putVarint(ByteBuffer out, long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.put((byte) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        out.put((byte) rest);
    }

    private static long varint(ByteBuffer in) throws StreamException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE && in.hasRemaining(); shift += 7) {
            byte b = in.get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new StreamException("malformed RAM run header: number without end");
    }
}
