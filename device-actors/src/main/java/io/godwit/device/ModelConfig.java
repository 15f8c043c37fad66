package io.godwit.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * Config space of a model device: {@value #BYTES} bytes, as much as the PCI configuration header and its capabilities.
 * Little-endian: magic u32, format version u32, bytes of state u64, resets u64, MSI address u64, MSI data u32, length of
 * the model name u32, model name, zeros, CRC32C of all before it u32.
 */
final class ModelConfig {
    static final int BYTES = 256;
    private static final int MAGIC = 0x47434647;
    private static final int VERSION = 1;
    private static final int NAME_AT = 40;
    private static final int CRC_AT = BYTES - Integer.BYTES;
    private static final int RESETS_AT = 16;

    private final String device;
    private final String model;
    private final long stateBytes;
    private byte[] bytes;

    /** As the guest's driver would program it: {@code seed} decides the interrupt's address and data. */
    ModelConfig(String device, String model, long stateBytes, long seed) {
        this.device = device;
        this.model = model;
        this.stateBytes = stateBytes;
        byte[] name = model.getBytes(StandardCharsets.UTF_8);
        this.bytes = new byte[BYTES];
        ByteBuffer fresh = little(bytes);
        fresh.putInt(MAGIC).putInt(VERSION).putLong(stateBytes).putLong(0);
        fresh.putLong(0xfee00000L | (seed & 0xff000L))
                .putInt((int) (seed >>> 32))
                .putInt(name.length)
                .put(name);
        seal();
    }

    byte[] save() {
        return bytes.clone();
    }

    /** Counts a reset. */
    void reset() {
        ByteBuffer view = little(bytes);
        view.putLong(RESETS_AT, view.getLong(RESETS_AT) + 1);
        seal();
    }

    void load(byte[] config) throws DeviceException {
        if (config.length != BYTES) {
            throw refused(config.length + " bytes; expected " + BYTES);
        }
        ByteBuffer view = little(config);
        if (view.getInt(0) != MAGIC || view.getInt(CRC_AT) != crc(config)) {
            throw refused("it is damaged");
        }
        int version = view.getInt(4);
        if (version != VERSION) {
            throw refused("version " + version + " of the format; expected " + VERSION);
        }
        int length = view.getInt(NAME_AT - Integer.BYTES);
        if (length < 0 || length > CRC_AT - NAME_AT) {
            throw refused("a model name of " + length + " bytes");
        }
        String theirs = new String(config, NAME_AT, length, StandardCharsets.UTF_8);
        if (!theirs.equals(model)) {
            throw refused("model " + theirs + "; expected " + model);
        }
        if (view.getLong(8) != stateBytes) {
            throw refused(view.getLong(8) + " bytes of state; expected " + stateBytes);
        }
        bytes = config.clone();
    }

    /** It is not what was loaded any more. */
    void spoil() {
        bytes[BYTES / 2] ^= 1;
    }

    long digest() {
        long sum = 0;
        ByteBuffer view = little(bytes);
        while (view.hasRemaining()) {
            sum = ModelState.mix(sum, view.getLong());
        }
        return sum;
    }

    private void seal() {
        little(bytes).putInt(CRC_AT, crc(bytes));
    }

    private DeviceException refused(String reason) {
        return new DeviceException("device " + device + " refuses a config space: " + reason);
    }

    private static int crc(byte[] config) {
        CRC32C crc = new CRC32C();
        crc.update(config, 0, CRC_AT);
        return (int) crc.getValue();
    }

    private static ByteBuffer little(byte[] array) {
        return ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
    }
}
