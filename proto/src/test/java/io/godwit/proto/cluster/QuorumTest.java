package io.godwit.proto.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class QuorumTest {
    @Test
    void twoGroupsOfTheSameCoordinatorsNeverBothHaveOne() {
        for (int all = 1; all <= 9; all++) {
            int named = all;
            assertThat(IntStream.rangeClosed(0, named)
                            .filter(group -> group >= Quorum.of(named) && named - group >= Quorum.of(named)))
                    .isEmpty();
        }
    }

    @Test
    void oneIsEnoughForOneAndThreeCanDoWithoutOne() {
        assertThat(Quorum.of(0)).isEqualTo(1);
        assertThat(Quorum.of(1)).isEqualTo(1);
        assertThat(Quorum.of(2)).isEqualTo(2);
        assertThat(Quorum.of(3)).isEqualTo(2);
        assertThat(Quorum.of(5)).isEqualTo(3);
    }
}
