package io.godwit.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LeaseTermsTest {
    private static final LeaseTerms TERMS = new LeaseTerms(Duration.ofSeconds(20), 0.1, Duration.ofSeconds(2));

    /** Rates of the two clocks anywhere within the bound, and how long the guest takes to stop within its own. */
    @Test
    void theLeaseIsOverAndTheGuestStandsWhenTheCoordinatorThinksSo() {
        Random draw = new Random(7);
        double closest = Double.MAX_VALUE;
        for (int i = 0; i < 100_000; i++) {
            double hostRate = 1 + (draw.nextInt(3) - 1) * 0.1 * (draw.nextBoolean() ? 1 : draw.nextDouble());
            double ownRate = 1 + (draw.nextInt(3) - 1) * 0.1 * (draw.nextBoolean() ? 1 : draw.nextDouble());
            // true time from the question to the guest's standstill, the answer having taken none
            double stands =
                    TERMS.duration().toNanos() / hostRate + TERMS.stopWithin().toNanos();
            double thought = TERMS.overAfterNanos() / ownRate;
            assertThat(thought).isGreaterThanOrEqualTo(stands);
            closest = Math.min(closest, thought - stands);
        }
        assertThat(closest).as("not longer than it has to be").isLessThan(1_000);
    }

    @Test
    void waitsForTheTimeThatTheReferenceNames() {
        LeaseTerms terms = LeaseTerms.from(ConfigFactory.load());
        assertThat(terms.overAfterNanos() / 1_000_000).isEqualTo(26_644);
    }

    @Test
    void refusesTermsThatCannotBeKept() {
        assertThatThrownBy(() -> new LeaseTerms(Duration.ZERO, 0.1, Duration.ZERO))
                .hasMessageContaining("expected durations above zero");
        assertThatThrownBy(() -> new LeaseTerms(Duration.ofSeconds(1), 1, Duration.ZERO))
                .hasMessageContaining("drift of 0 to below 1");
    }
}
