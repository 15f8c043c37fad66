package io.godwit.safety;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.lease.LeaseReply;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The safety argument of coordinator/README.md for VMs that are started anew, by exhaustion. */
class LeaseModelTest {
    private static final int WORLDS_MAX = 5_000_000;
    private static final int SLOW = 1;
    private static final int FAST = 3;
    private static ActorTestKit kit;
    private static ActorRef<LeaseReply> nobody;

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create();
        nobody = kit.<LeaseReply>createTestProbe().getRef();
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    /** What was found on all ways from the beginning. */
    private record Found(Optional<String> violation, int worlds, boolean movedOn, boolean wentOnAfterALapse) {}

    private record Came(LeaseWorld from, String step) {}

    private static Found explore(LeaseModel model) {
        Map<LeaseWorld, Came> seen = new HashMap<>();
        Deque<LeaseWorld> todo = new ArrayDeque<>();
        LeaseWorld begin = model.begin();
        todo.add(begin);
        seen.put(begin, new Came(begin, "begin"));
        boolean movedOn = false;
        boolean wentOn = false;
        while (!todo.isEmpty()) {
            LeaseWorld world = todo.remove();
            movedOn |= model.runsOnB(world);
            wentOn |= model.runsOnA(world) && world.sleeps() == 0;
            if (model.runsOnA(world) && model.runsOnB(world)) {
                return new Found(
                        Optional.of("I1: it runs on both hosts\n" + String.join("\n", trace(seen, world))),
                        seen.size(),
                        movedOn,
                        wentOn);
            }
            model.steps(world, (step, next) -> {
                if (seen.putIfAbsent(next, new Came(world, step)) == null) {
                    todo.add(next);
                }
            });
            assertThat(seen.size()).isLessThan(WORLDS_MAX);
        }
        return new Found(Optional.empty(), seen.size(), movedOn, wentOn);
    }

    private static List<String> trace(Map<LeaseWorld, Came> seen, LeaseWorld world) {
        List<String> steps = new ArrayList<>();
        for (LeaseWorld at = world;
                !seen.get(at).step().equals("begin");
                at = seen.get(at).from()) {
            steps.addFirst(seen.get(at).step());
        }
        return steps;
    }

    /** A slow host and a fast lender are the worst; the lender's lease is over five ticks after its last answer then. */
    @Test
    void neverRunsOnTwoHostsAtTheWorstRates() {
        Found found = explore(new LeaseModel(EnumSet.allOf(LeaseGuard.class), SLOW, FAST, 7, 2, nobody));
        assertThat(found.violation()).isEmpty();
        assertThat(found.worlds()).as("a model that does nothing finds nothing").isGreaterThan(100_000);
        assertThat(found.movedOn()).isTrue();
        assertThat(found.wentOnAfterALapse()).isTrue();
    }

    @Test
    void neverRunsOnTwoHostsAtAnyRates() {
        for (int host = SLOW; host <= FAST; host++) {
            for (int lender = LeaseModel.NOMINAL; lender <= FAST; lender++) {
                Found found = explore(new LeaseModel(EnumSet.allOf(LeaseGuard.class), host, lender, 9, 1, nobody));
                assertThat(found.violation())
                        .as("host " + host + ", lender " + lender)
                        .isEmpty();
                assertThat(found.movedOn()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(LeaseGuard.class)
    void withoutAnyOneGuardThereIsAWayToHarm(LeaseGuard guard) {
        Set<LeaseGuard> others = EnumSet.complementOf(EnumSet.of(guard));
        Found found = explore(new LeaseModel(others, SLOW, FAST, 9, 2, nobody));
        assertThat(found.violation()).as("without " + guard).isPresent();
    }
}
