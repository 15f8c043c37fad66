package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.SaveLimits;
import org.junit.jupiter.api.Test;

class LimitsTest {
    private static SaveLimits revision(long revision, long downtimeMs, long ceilingMs) {
        return new SaveLimits(revision, downtimeMs, ceilingMs, 0, 0, false);
    }

    @Test
    void newerLimitsReplaceOlderOnesAndNotTheOtherWayRound() {
        Limits limits = new Limits(revision(3, 100, 100), 1000);
        assertThat(limits.take(revision(2, 7, 7))).isFalse();
        assertThat(limits.take(revision(3, 7, 7))).as("the same again").isFalse();
        assertThat(limits.inForce()).isEqualTo(revision(3, 100, 100));
        assertThat(limits.take(revision(4, 200, 300))).isTrue();
        assertThat(limits.downtimeMicros()).isEqualTo(200_000);
        assertThat(limits.ceilingMicros()).isEqualTo(300_000);
    }

    @Test
    void theVmsBudgetIsNeverExceeded() {
        Limits limits = new Limits(revision(0, 5000, 9000), 300);
        assertThat(limits.downtimeMicros()).isEqualTo(300_000);
        assertThat(limits.ceilingMicros()).isEqualTo(300_000);
        assertThat(limits.inForce().downtimeLimitMs()).as("shown as told").isEqualTo(5000);
    }

    @Test
    void aCeilingBelowTheLimitIsTheLimit() {
        assertThat(new Limits(revision(0, 50, 0), 300).ceilingMicros()).isEqualTo(50_000);
    }

    @Test
    void saysWhatNobodyCouldKeepTo() {
        assertThat(Limits.problem(new SaveLimits(1, 50, 50, 0, 99, true))).isEmpty();
        assertThat(Limits.problem(new SaveLimits(1, 50, 50, 0, 100, false)))
                .hasValueSatisfying(why -> assertThat(why).contains("throttle of 100 percent", "0 to 99"));
        assertThat(Limits.problem(new SaveLimits(1, 50, 50, -1, 0, false)))
                .hasValueSatisfying(why -> assertThat(why).contains("bandwidth limit of -1"));
        assertThat(Limits.problem(new SaveLimits(1, -50, 50, 0, 0, false)))
                .hasValueSatisfying(why -> assertThat(why).contains("downtime limit of -50 ms"));
    }
}
