package io.godwit.units;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "4096,4096",
        "17B,17",
        "1KiB,1024",
        "256MiB,268435456",
        "1.5 GiB,1610612736",
        "2TiB,2199023255552"
    })
    void readsSizes(String text, long bytes) {
        assertThat(Units.bytes(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MiB", "-1", "1MB", "1mib", "12XB", "0.3B", "1e3", "99999999999TiB", "0x10", "1,5MiB"})
    void refusesWhatIsNoSizeAndSaysWhatIs(String text) {
        assertThatThrownBy(() -> Units.bytes(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "'")
                .hasMessageContaining("expected")
                .hasMessageContaining("256MiB");
    }

    @ParameterizedTest
    @CsvSource({"20MiB/s,20971520", "1GiB,1073741824", "0,0"})
    void readsRates(String text, long bytes) {
        assertThat(Units.bytesPerSecond(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"300ms,300", "1.5s,1500", "2 s,2000"})
    void readsTimes(String text, long millis) {
        assertThat(Units.millis(text)).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"300", "1m", "0.5ms", "-1s"})
    void refusesTimesWithoutUnitOrWithPartsOfAMillisecond(String text) {
        assertThatThrownBy(() -> Units.millis(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("300ms");
    }

    @Test
    void showsDurationsInTheUnitAPersonWouldUse() {
        assertThat(Units.duration(11)).isEqualTo("11 ms");
        assertThat(Units.duration(30_415)).isEqualTo("30.4 s");
        assertThat(Units.duration(125_999)).isEqualTo("2 min 5 s");
    }

    @Test
    void showsSizesInTheLargestUnitThatFits() {
        assertThat(Units.size(0)).isEqualTo("0 B");
        assertThat(Units.size(1023)).isEqualTo("1023 B");
        assertThat(Units.size(256L << 20)).isEqualTo("256 MiB");
        assertThat(Units.size((3L << 30) / 2)).isEqualTo("1.5 GiB");
    }
}
