package io.godwit.agent.guest;

import io.godwit.vm.GuestException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The bytes in which a vCPU's state travels: a header that names driver, format version, vCPU and slice, the driver's
 * payload, and a CRC32C over both. Little endian. Equal states give equal bytes.
 *
 * @param driver name of the driver whose payload it is, four ASCII characters at most
 * @param index which vCPU
 * @param firstPage first page of its slice of the working set
 * @param pages pages in that slice
 */
public record VcpuImage(String driver, int index, long firstPage, long pages) {
    /** Format version; a state of any other is refused. */
    public static final int VERSION = 1;

    private static final int MAGIC = 0x55504356; // "VCPU"
    private static final int DRIVER_BYTES = 4;
    private static final int HEADER = 4 + 4 + DRIVER_BYTES + 4 + 8 + 8 + 4;

    /** The bytes that carry {@code payload}. */
    public byte[] encode(byte[] payload) {
        ByteBuffer out = ByteBuffer.allocate(HEADER + payload.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(MAGIC)
                .putInt(VERSION)
                .put(tag(driver))
                .putInt(index)
                .putLong(firstPage)
                .putLong(pages);
        out.putInt(payload.length).put(payload);
        return out.putInt(crc(out.array(), out.position())).array();
    }

    /**
     * The payload of a state that must be of this driver, vCPU and slice.
     *
     * @param payloadBytes its exact size
     * @throws GuestException naming the first thing that is not as expected
     */
    public byte[] decode(byte[] state, int payloadBytes) throws GuestException {
        String what = "state of vCPU " + index;
        if (state.length < HEADER + 4) {
            throw new GuestException(what + " is " + state.length + " bytes; expected " + (HEADER + payloadBytes + 4));
        }
        ByteBuffer in = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        int stored = in.getInt(state.length - 4);
        int computed = crc(state, state.length - 4);
        if (in.getInt() != MAGIC) {
            throw new GuestException(what + " does not begin with VCPU: not a vCPU state");
        }
        // version before checksum: another version may have put its checksum elsewhere
        expect(what, "format version", in.getInt(), VERSION);
        if (stored != computed) {
            throw new GuestException(what + " is damaged: its CRC32C is " + Integer.toHexString(computed)
                    + ", expected " + Integer.toHexString(stored));
        }
        byte[] tag = new byte[DRIVER_BYTES];
        in.get(tag);
        if (!Arrays.equals(tag, tag(driver))) {
            throw new GuestException(what + " comes from driver " + new String(tag, StandardCharsets.US_ASCII).trim()
                    + "; expected " + driver);
        }
        expect(what, "vCPU index", in.getInt(), index);
        expect(what, "first page of the slice", in.getLong(), firstPage);
        expect(what, "number of pages in the slice", in.getLong(), pages);
        expect(what, "payload size in bytes", in.getInt(), payloadBytes);
        expect(what, "size in bytes", state.length, HEADER + payloadBytes + 4);
        byte[] payload = new byte[payloadBytes];
        in.get(payload);
        return payload;
    }

    private static void expect(String what, String field, long found, long expected) throws GuestException {
        if (found != expected) {
            throw new GuestException(what + ": " + field + " is " + found + "; expected " + expected);
        }
    }

    private static byte[] tag(String driver) {
        return Arrays.copyOf(driver.getBytes(StandardCharsets.US_ASCII), DRIVER_BYTES);
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
