package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.fleet.Sight.Other;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One coordinator of three, with one host; a host is given up after 5 s, a coordinator after 1 s. */
class SightTest {
    private static final long MS = 1_000_000;

    private final Sight sight = new Sight(new Sight.Limits(3, Duration.ofSeconds(5), Duration.ofSeconds(1)));
    private final List<String> lost = new ArrayList<>();

    private static Other coordinator(String id, boolean inSight) {
        return new Other(id, true, true, inSight);
    }

    /** All but those in {@code lost} are in sight. */
    private Sight.Verdict at(long ms) {
        return sight.look(
                List.of(
                        coordinator("c2", !lost.contains("c2")),
                        coordinator("c3", !lost.contains("c3")),
                        new Other("h1", false, false, !lost.contains("h1"))),
                ms * MS);
    }

    @Test
    void aHostIsGivenUpAfterItsTimeAndACoordinatorSooner() {
        lost.addAll(List.of("h1", "c3"));
        assertThat(at(0).givenUp()).isEmpty();
        assertThat(at(999).givenUp()).isEmpty();
        assertThat(at(1000).givenUp()).containsExactly("c3");
        assertThat(at(4999).givenUp()).containsExactly("c3");
        assertThat(at(5000).givenUp()).containsExactly("c3", "h1");
    }

    @Test
    void whoComesBackStartsAfresh() {
        lost.add("h1");
        at(0);
        lost.clear();
        at(4000);
        lost.add("h1");
        assertThat(at(5000).givenUp()).isEmpty();
        assertThat(at(9999).givenUp()).isEmpty();
        assertThat(at(10_000).givenUp()).containsExactly("h1");
    }

    @Test
    void withoutAMajorityNobodyIsGivenUpAndItIsAloneAfterAWhile() {
        lost.addAll(List.of("c2", "c3", "h1"));
        assertThat(at(0)).isEqualTo(new Sight.Verdict(List.of(), false));
        assertThat(at(999)).isEqualTo(new Sight.Verdict(List.of(), false));
        assertThat(at(1000)).isEqualTo(new Sight.Verdict(List.of(), true));
        // one of them is back: it decides again, and what was lost all the while is overdue
        lost.remove("c2");
        assertThat(at(1500)).isEqualTo(new Sight.Verdict(List.of("c3"), false));
        lost.add("c2");
        assertThat(at(2000).alone()).as("missing again, from now on").isFalse();
        assertThat(at(3000).alone()).isTrue();
    }

    /** It has not come yet, or was marked down: it counts as missing, not as there. */
    @Test
    void coordinatorsThatAreNamedAndNotThereAreMissing() {
        assertThat(sight.look(List.of(coordinator("c2", true)), 0).alone()).isFalse();
        assertThat(sight.look(List.of(coordinator("c2", true)), 5000 * MS).alone())
                .isFalse();
        sight.look(List.of(), 6000 * MS);
        assertThat(sight.look(List.of(), 7000 * MS).alone()).isTrue();
    }

    @Test
    void theOnlyCoordinatorDecidesAlone() {
        Sight only = new Sight(new Sight.Limits(1, Duration.ofSeconds(5), Duration.ofSeconds(1)));
        List<Other> host = List.of(new Other("h1", false, false, false));
        only.look(host, 0);
        assertThat(only.look(host, 5000 * MS)).isEqualTo(new Sight.Verdict(List.of("h1"), false));
    }
}
