package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootSectorGuestTest {
    private static ByteBuffer read(byte[] sector) {
        return ByteBuffer.wrap(sector).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void theSectorIsBootableAndCarriesItsParameters() {
        ByteBuffer sector = read(new BootSectorGuest(64 << 20, 5000, 7).sector());
        assertThat(sector.capacity()).isEqualTo(512);
        assertThat(sector.getShort(510) & 0xFFFF).isEqualTo(0xAA55);
        assertThat(sector.getInt(BootSectorCode.END)).isEqualTo(64 << 20);
        assertThat(sector.getInt(BootSectorCode.BURST_PAGES)).isEqualTo(50);
        assertThat(sector.getInt(BootSectorCode.BURST_TICKS)).isEqualTo(35795);
        assertThat(sector.getInt(BootSectorCode.MARK_PASSES)).isEqualTo(7);
    }

    @Test
    void aSlowGuestWritesOnePageABurstAndAFreeOneDoesNotWait() {
        ByteBuffer slow = read(new BootSectorGuest(64 << 20, 3, 1).sector());
        assertThat(slow.getInt(BootSectorCode.BURST_PAGES)).isEqualTo(1);
        // the timer has 24 bits
        assertThat(slow.getInt(BootSectorCode.BURST_TICKS))
                .isEqualTo(3_579_545 / 3)
                .isLessThan(1 << 24);
        assertThat(read(new BootSectorGuest(64 << 20, 0, 1).sector()).getInt(BootSectorCode.BURST_TICKS))
                .isZero();
    }

    @Test
    void fillsTheMemoryUpToTheFirmwaresTables() {
        assertThat(BootSectorGuest.filling(128 << 20, 0)).isEqualTo(new BootSectorGuest(126 << 20, 0, 64));
        assertThat(BootSectorGuest.filling(1 << 30, 1_000_000).passesPerMark()).isEqualTo(3);
        assertThat(BootSectorGuest.filling(1L << 34, 1000).endGpa()).isEqualTo(BootSectorGuest.END_MAX);
        assertThat(new BootSectorGuest(3 << 20, 0, 1).rule()).isEqualTo(new PageRule(1 << 20, 512));
    }

    @Test
    void refusesParametersOutOfRange() {
        assertThatThrownBy(() -> new BootSectorGuest((1 << 20) + 1, 0, 1))
                .hasMessageStartingWith("endGpa is 1048577; expected a multiple of 4096");
        assertThatThrownBy(() -> new BootSectorGuest(1 << 20, 0, 1)).hasMessageContaining("over 1048576");
        assertThatThrownBy(() -> new BootSectorGuest((1L << 31) + 4096, 0, 1)).hasMessageContaining("at most");
        assertThatThrownBy(() -> new BootSectorGuest(2 << 20, -1, 1)).hasMessageContaining("pagesPerSecond is -1");
        assertThatThrownBy(() -> new BootSectorGuest(2 << 20, 0, 0)).hasMessageContaining("passesPerMark is 0");
        assertThatThrownBy(() -> BootSectorGuest.filling(1 << 20, 0)).hasMessageContaining("at least 4194304");
    }

    @Test
    void writesAnImageOnce(@TempDir Path folder) throws Exception {
        Path image = folder.resolve("a,b.img");
        BootSectorGuest guest = new BootSectorGuest(2 << 20, 0, 1);
        guest.writeImage(image);
        assertThat(Files.size(image)).isEqualTo(BootSectorGuest.IMAGE_BYTES);
        assertThat(Files.readAllBytes(image)).startsWith(guest.sector());
        assertThatThrownBy(() -> guest.writeImage(image)).hasMessageContaining("a,b.img");
        assertThat(BootSectorGuest.bootFrom(image).getLast()).endsWith("a,,b.img");
    }
}
