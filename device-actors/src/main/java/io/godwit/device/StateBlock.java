package io.godwit.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * One block of a model device's own stream: a header of {@value #HEADER_BYTES} bytes, then the state. Little-endian: magic
 * u32, sequence u32, offset in the state u64, length u32, CRC32C u32 over the 20 bytes before it and the state. Sequence 0
 * begins a session and voids what an earlier one gave out; length 0 ends it. A chunk holds whole blocks.
 *
 * @param sequence place in the session, from 0
 * @param offset where in the state
 * @param length bytes of state that follow
 */
record StateBlock(int sequence, long offset, int length) {
    static final int HEADER_BYTES = 24;
    private static final int MAGIC = 0x4b4c4247;
    private static final int CRC_AT = 20;

    /** Whether it ends the session. */
    boolean end() {
        return length == 0;
    }

    /** Writes its header at {@code at}, the state standing right behind that place already. */
    void seal(ByteBuffer chunk, int at) {
        ByteBuffer little = chunk.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        little.putInt(at, MAGIC)
                .putInt(at + 4, sequence)
                .putLong(at + 8, offset)
                .putInt(at + 16, length);
        little.putInt(at + CRC_AT, crc(chunk, at, length));
    }

    /**
     * Reads and checks the block at {@code at}; does not move the buffer.
     *
     * @throws DeviceException when it is cut short, not a block or damaged
     */
    static StateBlock read(ByteBuffer chunk, int at) throws DeviceException {
        int left = chunk.limit() - at;
        if (left < HEADER_BYTES) {
            throw new DeviceException("a block's header cut short: " + left + " of " + HEADER_BYTES + " bytes");
        }
        ByteBuffer little = chunk.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        if (little.getInt(at) != MAGIC) {
            throw new DeviceException("no block begins where one was expected, " + at + " bytes into the buffer");
        }
        StateBlock block = new StateBlock(little.getInt(at + 4), little.getLong(at + 8), little.getInt(at + 16));
        if (block.length < 0 || block.length > left - HEADER_BYTES) {
            throw new DeviceException("block " + block.sequence + " of " + block.length + " bytes in a chunk with "
                    + (left - HEADER_BYTES) + " left");
        }
        if (little.getInt(at + CRC_AT) != crc(chunk, at, block.length)) {
            throw new DeviceException("block " + block.sequence + " is damaged: its CRC32C differs");
        }
        return block;
    }

    private static int crc(ByteBuffer chunk, int at, int length) {
        CRC32C crc = new CRC32C();
        crc.update(chunk.duplicate().position(at).limit(at + CRC_AT));
        crc.update(chunk.duplicate().limit(at + HEADER_BYTES + length).position(at + HEADER_BYTES));
        return (int) crc.getValue();
    }
}
