package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LogRangesTest {
    private static final long GIB = 1L << 30;

    private static IovaMapping at(long iova, long bytes) {
        return new IovaMapping(iova, 0, bytes);
    }

    @Test
    void oneRangeBelowFourGibAndOneAboveCoverWhateverIsMapped() {
        assertThat(LogRanges.merge(List.of(at(GIB, 4096), at(3 * GIB, 8192), at(5 * GIB, 4096), at(9 * GIB, GIB)), 4))
                .containsExactly(new IovaRange(GIB, 2 * GIB + 8192), new IovaRange(5 * GIB, 5 * GIB));
        assertThat(LogRanges.merge(List.of(at(8192, 4096)), 4)).containsExactly(new IovaRange(8192, 4096));
        assertThat(LogRanges.merge(List.of(at(8 * GIB, 4096)), 4)).containsExactly(new IovaRange(8 * GIB, 4096));
        assertThat(LogRanges.merge(List.of(), 4)).isEmpty();
    }

    @Test
    void aMappingThatSpansFourGibCountsAsHighAndTheRangesStayDisjoint() {
        assertThat(LogRanges.merge(List.of(at(GIB, 4096), at(3 * GIB, 2 * GIB)), 2))
                .containsExactly(new IovaRange(GIB, 4096), new IovaRange(3 * GIB, 2 * GIB));
        assertThat(LogRanges.merge(List.of(at(0, 4 * GIB)), 2)).containsExactly(new IovaRange(0, 4 * GIB));
    }

    @Test
    void aDeviceThatTakesOneRangeGetsOne() {
        assertThat(LogRanges.merge(List.of(at(GIB, 4096), at(5 * GIB, 4096)), 1))
                .containsExactly(new IovaRange(GIB, 4 * GIB + 4096));
    }
}
