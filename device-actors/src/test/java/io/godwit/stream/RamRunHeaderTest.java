package io.godwit.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.wire.Frame;
import io.godwit.proto.wire.RamRun;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class RamRunHeaderTest {
    @Test
    void writesWhatTheGeneratedCodeWritesAndReadsItBack() throws Exception {
        Random random = new Random(7);
        RamRunHeader header = new RamRunHeader();
        ByteBuffer out = Framing.buffer(RamRunHeader.FRAME_BYTES_MAX);
        for (int i = 0; i < 20_000; i++) {
            long gpa = i % 5 == 0 ? 0 : random.nextLong() >>> random.nextInt(1, 64);
            int pages = 1 + (random.nextInt() >>> random.nextInt(1, 32)) / 2;
            boolean zero = random.nextBoolean();
            int crc = zero ? 0 : random.nextInt() | 1;
            Frame frame = Frame.newBuilder()
                    .setRamRun(RamRun.newBuilder()
                            .setGpa(gpa)
                            .setPages(pages)
                            .setZero(zero)
                            .setCrc32C(crc))
                    .build();

            header.put(out.clear(), gpa, pages, zero, crc);
            out.flip();

            byte[] bytes = new byte[out.remaining() - Framing.PREFIX_BYTES];
            out.get(Framing.PREFIX_BYTES, bytes);
            assertThat(bytes).isEqualTo(frame.toByteArray());
            CRC32C expected = new CRC32C();
            expected.update(bytes);
            assertThat(out.getInt()).isEqualTo(bytes.length);
            assertThat(out.getInt()).isEqualTo((int) expected.getValue());
            if (!zero) {
                assertThat(RamRunHeader.dataFrameBytes(gpa, pages)).isEqualTo(out.limit());
            }
            header.read(out);
            assertThat(header.gpa).isEqualTo(gpa);
            assertThat(header.pages).isEqualTo(pages);
            assertThat(header.zero).isEqualTo(zero);
            assertThat(header.crc32c).isEqualTo(crc);
        }
    }

    @Test
    void aDataRunWithChecksumZeroHasTheSameLengthAndTheGeneratedParserReadsIt() throws Exception {
        ByteBuffer out = Framing.buffer(RamRunHeader.FRAME_BYTES_MAX);
        new RamRunHeader().put(out, 8192, 2, false, 0);
        assertThat(out.position()).isEqualTo(RamRunHeader.dataFrameBytes(8192, 2));
        RamRun run = Frame.parseFrom(out.flip().position(Framing.PREFIX_BYTES)).getRamRun();
        assertThat(run).isEqualTo(RamRun.newBuilder().setGpa(8192).setPages(2).build());
    }

    @Test
    void garbageIsRefusedOrReadButNeverAnythingElse() {
        Random random = new Random(11);
        RamRunHeader header = new RamRunHeader();
        int refused = 0;
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(30)];
            random.nextBytes(bytes);
            bytes[0] = RamRunHeader.TAG;
            if (bytes.length > 1 && random.nextInt(4) > 0) {
                bytes[1] = (byte) (bytes.length - 2);
            }
            try {
                header.read(ByteBuffer.wrap(bytes));
            } catch (StreamException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(40_000);
    }
}
