package io.godwit.safety;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostReply;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.safety.HandoffModel.Bounds;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The safety argument of coordinator/README.md, by exhaustion. */
class HandoffModelTest {
    private static final int WORLDS_MAX = 5_000_000;
    private static ActorTestKit kit;
    private static ActorRef<OwnershipReply> nobody;
    private static ActorRef<HostReply> hostsNobody;

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create();
        nobody = kit.<OwnershipReply>createTestProbe().getRef();
        hostsNobody = kit.<HostReply>createTestProbe().getRef();
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    private record Outcome(Optional<String> violation, int worlds) {}

    private static Outcome explore(Set<Guard> guards, Bounds bounds) {
        HandoffModel model = new HandoffModel(guards, bounds, nobody, hostsNobody);
        Exploration exploration = new Exploration(model, WORLDS_MAX);
        Optional<String> violation = exploration.violation(model.begin());
        return new Outcome(violation, exploration.worlds());
    }

    @Test
    void aMigrationUnderAnyLossesAndKilledAgentsRunsTheVmOnceAndKeepsIt() {
        Outcome outcome = explore(EnumSet.allOf(Guard.class), new Bounds(false, 2, 0, true, true));
        assertThat(outcome.violation()).isEmpty();
        assertThat(outcome.worlds())
                .as("a model that does nothing finds nothing")
                .isGreaterThan(100_000);
    }

    @Test
    void aSecondMigrationIsNotDisturbedByWhatIsLeftOfTheFirst() {
        Outcome outcome = explore(EnumSet.allOf(Guard.class), new Bounds(true, 0, 0, false, false));
        assertThat(outcome.violation()).isEmpty();
        assertThat(outcome.worlds()).isGreaterThan(100_000);
    }

    @Test
    void twoMigrationsUnderEverythingAtOnceOnDrawnWays() {
        HandoffModel model =
                new HandoffModel(EnumSet.allOf(Guard.class), new Bounds(true, 2, 0, true, true), nobody, hostsNobody);
        Exploration exploration = new Exploration(model, WORLDS_MAX);
        RandomGenerator draw = new Random(5);
        for (int way = 0; way < 20_000; way++) {
            assertThat(exploration.violationOnAWay(model.begin(), 120, draw)).isEmpty();
        }
        assertThat(exploration.worlds()).isGreaterThan(100_000);
    }

    @ParameterizedTest
    @EnumSource(Guard.class)
    void withoutAnyOneGuardThereIsAWayToHarm(Guard guard) {
        Set<Guard> others = EnumSet.complementOf(EnumSet.of(guard));
        Outcome outcome = explore(others, new Bounds(true, 1, guard == Guard.ONE_WRITER ? 1 : 0, true, true));
        assertThat(outcome.violation()).as("without " + guard).isPresent();
    }
}
