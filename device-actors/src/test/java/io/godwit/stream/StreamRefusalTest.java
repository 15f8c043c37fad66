package io.godwit.stream;

import static io.godwit.stream.StreamFixture.PAGE;
import static io.godwit.stream.StreamFixture.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.proto.wire.DeviceChunk;
import io.godwit.proto.wire.Frame;
import io.godwit.proto.wire.RamRun;
import io.godwit.proto.wire.VcpuState;
import io.godwit.vm.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class StreamRefusalTest {
    private static final int PAGES = 20;

    private final ByteArrayOutputStream stream = new ByteArrayOutputStream();
    private final StreamFixture.Arrivals arrivals = new StreamFixture.Arrivals();

    private void opening(int version) {
        stream.writeBytes(ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(Framing.MAGIC)
                .putInt(version)
                .array());
    }

    private void header(byte[] header) {
        CRC32C crc = new CRC32C();
        crc.update(header);
        stream.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(header.length)
                .putInt((int) crc.getValue())
                .array());
        stream.writeBytes(header);
    }

    private void frame(Frame frame) {
        header(frame.toByteArray());
    }

    private void begin() {
        opening(Framing.VERSION);
        frame(WireForms.frame(StreamFixture.preamble(PAGES)));
    }

    private void ram(long gpa, int pages, int crc, byte[] payload) {
        frame(Frame.newBuilder()
                .setRamRun(RamRun.newBuilder().setGpa(gpa).setPages(pages).setCrc32C(crc))
                .build());
        stream.writeBytes(payload);
    }

    private void chunk(String device, String kind, byte[] payload) {
        CRC32C crc = new CRC32C();
        crc.update(payload);
        frame(Frame.newBuilder()
                .setDeviceChunk(DeviceChunk.newBuilder()
                        .setDevice(device)
                        .setKind(kind)
                        .setBytes(payload.length)
                        .setCrc32C((int) crc.getValue()))
                .build());
        stream.writeBytes(payload);
    }

    private void vcpu(int index) {
        frame(WireForms.frame(index, 0, 0));
    }

    private void end() {
        frame(WireForms.frame(Digests.NONE, true));
    }

    private void complete() {
        begin();
        chunk("gpu0", "END", new byte[0]);
        vcpu(0);
        end();
    }

    private Digests read(byte[] bytes, int step) throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            StreamReader reader = new StreamReader(new StreamFixture.Tape(bytes, step), SETTINGS);
            reader.readPreamble();
            return reader.receive(StreamFixture.memory(arena, PAGES), arrivals);
        }
    }

    private void refusedWith(String... parts) {
        assertThatThrownBy(() -> read(stream.toByteArray(), 1 << 20))
                .isInstanceOf(StreamException.class)
                .message()
                .contains(parts);
    }

    @Test
    void aCompleteStreamIsTaken() throws Exception {
        complete();
        assertThat(read(stream.toByteArray(), 3)).isEqualTo(Digests.NONE);
    }

    @Test
    void refusesAForeignMagic() {
        stream.writeBytes("GET / HTTP/1.1\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        refusedWith("begins with 0x", "expected the magic 0xa0d544957444f47");
    }

    @Test
    void refusesAnotherVersion() {
        opening(2);
        refusedWith("stream of version 2; expected 1");
    }

    @Test
    void refusesAFrameBeforeThePreambleAndASecondPreamble() {
        opening(1);
        vcpu(0);
        refusedWith("VCPU_STATE frame; expected PREAMBLE first");
        stream.reset();
        begin();
        frame(WireForms.frame(StreamFixture.preamble(PAGES)));
        refusedWith("second preamble");
    }

    @Test
    void refusesPreamblesWhoseLayoutItDoesNotExpect() {
        opening(1);
        frame(WireForms.frame(StreamFixture.preamble(PAGES + 1)));
        refusedWith("RAM of " + (PAGES + 1) * PAGE, "expected " + PAGES * PAGE);
        stream.reset();
        opening(1);
        Frame good = WireForms.frame(StreamFixture.preamble(PAGES));
        frame(good.toBuilder()
                .setPreamble(good.getPreamble().toBuilder().setPageSize(8192))
                .build());
        refusedWith("in pages of 8192", "expected whole pages of 4096");
        stream.reset();
        opening(1);
        frame(good.toBuilder()
                .setPreamble(good.getPreamble().toBuilder()
                        .addDevices(good.getPreamble().getDevices(0)))
                .build());
        refusedWith("device gpu0 twice");
        stream.reset();
        opening(1);
        frame(good.toBuilder()
                .setPreamble(good.getPreamble().toBuilder().setVcpus(5))
                .build());
        refusedWith("5 vCPUs; expected 1 to 4");
    }

    @Test
    void refusesUnknownFrames() {
        begin();
        header(new byte[] {(byte) (9 << 3 | 2), 0});
        refusedWith("unknown frame before byte");
    }

    @Test
    void refusesOversizedHeadersAndPayloads() {
        begin();
        byte[] start = stream.toByteArray();
        stream.writeBytes(new byte[] {1, 16, 0, 0, 0, 0, 0, 0});
        refusedWith("header of 4097 bytes", "expected 1 to 4096");
        stream.reset();
        stream.writeBytes(start);
        stream.writeBytes(new byte[] {-1, -1, -1, -1, 0, 0, 0, 0});
        refusedWith("header of 4294967295 bytes");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "PRECOPY", new byte[(1 << 20) + 1]);
        refusedWith("chunk of device gpu0 has 1048577 bytes; expected at most 1048576", "device-chunk-max");
        stream.reset();
        stream.writeBytes(start);
        frame(WireForms.frame(0, 65537, 0));
        refusedWith("state of vCPU 0 has 65537 bytes", "vcpu-state-max");
        stream.reset();
        stream.writeBytes(start);
        ram(0, 257, 0, new byte[0]);
        refusedWith("RAM run of 257 pages", "run-pages-max");
    }

    @Test
    void refusesRunsOutsideOfRamOrOffPageBoundaries() {
        for (long gpa : new long[] {(PAGES - 1L) * PAGE, 100, -PAGE, Long.MAX_VALUE - PAGE + 1, 1L << 40}) {
            stream.reset();
            begin();
            ram(gpa, 2, 0, new byte[2 * PAGE]);
            refusedWith(
                    "RAM run of 2 pages at 0x" + Long.toHexString(gpa), "expected whole pages within RAM of 0x14000");
        }
    }

    @Test
    void refusesWhatThePreambleDidNotName() {
        begin();
        byte[] start = stream.toByteArray();
        chunk("nic0", "PRECOPY", new byte[1]);
        refusedWith("device nic0", "expected one of [gpu0]");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "MIDCOPY", new byte[1]);
        refusedWith("unknown kind MIDCOPY", "PRECOPY, INITIAL_END, STOPCOPY, END");
        stream.reset();
        stream.writeBytes(start);
        vcpu(1);
        refusedWith("state of vCPU 1; expected 0 to 0");
    }

    @Test
    void refusesWhatIsOutOfOrder() {
        begin();
        byte[] start = stream.toByteArray();
        chunk("gpu0", "END", new byte[0]);
        chunk("gpu0", "END", new byte[0]);
        refusedWith("END chunk of device gpu0 after its END");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "STOPCOPY", new byte[1]);
        chunk("gpu0", "PRECOPY", new byte[1]);
        refusedWith("PRECOPY chunk of device gpu0 after STOPCOPY");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "STOPCOPY", new byte[1]);
        chunk("gpu0", "INITIAL_END", new byte[0]);
        refusedWith("INITIAL_END chunk of device gpu0 after STOPCOPY");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "INITIAL_END", new byte[0]);
        chunk("gpu0", "PRECOPY", new byte[1]);
        chunk("gpu0", "INITIAL_END", new byte[0]);
        refusedWith("INITIAL_END of device gpu0 a second time; expected it once");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "INITIAL_END", new byte[3]);
        refusedWith("INITIAL_END of device gpu0 with 3 bytes; expected no payload");
        stream.reset();
        opening(Framing.VERSION);
        frame(WireForms.frame(new Preamble(
                "m1",
                "vm1",
                3,
                StreamFixture.PAGE,
                PAGES * (long) StreamFixture.PAGE,
                1,
                "soft",
                List.of(new DeviceIdentity("nic0", "nic/1", false)),
                true)));
        chunk("nic0", "INITIAL_END", new byte[0]);
        refusedWith("INITIAL_END of device nic0, which has no pre-copy");
        stream.reset();
        stream.writeBytes(start);
        vcpu(0);
        vcpu(0);
        refusedWith("vCPU 0 a second time");
        stream.reset();
        stream.writeBytes(start);
        vcpu(0);
        end();
        refusedWith("before the END of device gpu0");
        stream.reset();
        stream.writeBytes(start);
        chunk("gpu0", "END", new byte[0]);
        end();
        refusedWith("before the state of vCPU 0");
        stream.reset();
        complete();
        int length = stream.size();
        ram(0, 1, 0, new byte[PAGE]);
        refusedWith("data after the end of the stream, at byte " + length);
        stream.reset();
        complete();
        end();
        refusedWith("data after the end of the stream");
    }

    @Test
    void refusesWrongChecksumsNamingPlaceAndValues() {
        begin();
        byte[] start = stream.toByteArray();
        ram(2 * PAGE, 1, 0xabcd, new byte[PAGE]);
        // 98f94189 is the CRC32C of 4096 zeros
        refusedWith("checksum of the RAM run of 1 pages at 0x2000 is 0x98f94189; expected 0xabcd");
        stream.reset();
        stream.writeBytes(start);
        frame(WireForms.frame("gpu0", DeviceChunkKind.CONFIG, 1, 5));
        stream.write(7);
        refusedWith("checksum of the chunk of device gpu0 is", "expected 0x5");
        stream.reset();
        stream.writeBytes(start);
        frame(Frame.newBuilder()
                .setVcpuState(VcpuState.newBuilder().setBytes(1).setCrc32C(5))
                .build());
        stream.write(7);
        refusedWith("checksum of the state of vCPU 0 is", "expected 0x5");
    }

    @Test
    void everyTruncationIsRefusedSayingWhere() {
        complete();
        byte[] whole = stream.toByteArray();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> read(cut, 7))
                    .isInstanceOf(StreamException.class)
                    .hasMessageContaining("ended early: at byte " + length);
        }
    }

    @Test
    void anySingleFlippedByteIsRefused() throws Exception {
        Random random = new Random(99);
        StreamFixture.Tape tape = new StreamFixture.Tape();
        try (Arena arena = Arena.ofConfined()) {
            GuestMemory source = StreamFixture.randomMemory(arena, PAGES, random);
            StreamWriter writer = new StreamWriter(tape, SETTINGS, StreamFixture.PACER);
            writer.preamble(StreamFixture.preamble(PAGES));
            writer.sender(source).send(StreamFixture.allOf(source), () -> false);
            writer.chunk("gpu0", DeviceChunkKind.PRECOPY, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
            writer.chunk("gpu0", DeviceChunkKind.END, ByteBuffer.allocate(0));
            writer.vcpu(0, new byte[] {1, 2, 3});
            writer.end(new Digests(StreamFixture.digest(source), java.util.Map.of("gpu0", 4L), 5));
        }
        byte[] whole = tape.written.toByteArray();
        read(whole, 1 << 20);
        int tried = 0;
        // every byte of the first and last kilobyte, where all headers but the runs' are; a sample of the rest
        for (int at = 0; at < whole.length; at += at < 1024 || at >= whole.length - 1024 ? 1 : 1 + random.nextInt(20)) {
            byte[] flipped = whole.clone();
            flipped[at] ^= (byte) (1 + random.nextInt(255));
            int position = at;
            assertThatThrownBy(() -> read(flipped, 1 << 20))
                    .as("byte %d of %d", position, whole.length)
                    .isInstanceOf(StreamException.class);
            tried++;
        }
        assertThat(tried).isGreaterThan(3000);
    }

    @Test
    void aSinkThatRefusesEndsTheReceptionWithItsReason() {
        complete();
        StreamSink unwilling = new StreamSink() {
            @Override
            public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) throws Exception {
                throw new IllegalArgumentException("config is of gpu/2, expected gpu/1");
            }

            @Override
            public void vcpu(int index, byte[] state) {}
        };
        assertThatThrownBy(() -> {
                    try (Arena arena = Arena.ofConfined()) {
                        StreamReader reader =
                                new StreamReader(new StreamFixture.Tape(stream.toByteArray(), 9), SETTINGS);
                        reader.readPreamble();
                        reader.receive(StreamFixture.memory(arena, PAGES), unwilling);
                    }
                })
                .isInstanceOf(StreamException.class)
                .hasMessage("device gpu0 refused its END chunk: config is of gpu/2, expected gpu/1");
    }
}
