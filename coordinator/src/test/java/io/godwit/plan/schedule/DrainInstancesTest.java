package io.godwit.plan.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.ScheduledMove;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The published instances, with their destinations fixed: shorter than BtrPlace and close to the bound. */
class DrainInstancesTest {
    private static Schedule schedule(String name) {
        PlanCase plan = DrainInstances.read(name);
        return Scheduler.schedule(plan, plan.givenMoves(), Scheduler.Effort.STANDARD);
    }

    private static double meanEndSeconds(Schedule schedule) {
        return schedule.moves().stream()
                        .mapToLong(ScheduledMove::endMs)
                        .average()
                        .orElseThrow()
                / 1000;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "infra-x1-1",
                "infra-x1-2",
                "infra-x2-3",
                "infra-x4-1",
                "infra-x10-3",
                "random-infra-x1-1",
                "random-infra-x4-1",
                "random-vms-x8-1",
                "vms-x1-3",
                "vms-x2-2",
                "vms-x4-1",
                "vms-x18-1"
            })
    void everythingEndsSoonerThanInThePlanOfBtrPlace(String name) {
        DrainInstances.Peer peer = DrainInstances.peers().get(name);
        Schedule schedule = schedule(name);
        assertThat(schedule.stuck()).isEmpty();
        assertThat(schedule.makespanMs() / 1000.0).isLessThan(peer.makespanSeconds());
        assertThat(meanEndSeconds(schedule)).isLessThan(peer.meanEndSeconds());
        assertThat((double) schedule.makespanMs() / schedule.lowerBoundMs()).isBetween(1.0, 1.04);
    }

    /** BtrPlace's makespan is the bound here: there is nothing left to beat. */
    @ParameterizedTest
    @ValueSource(strings = {"random-vms-x1-1", "random-vms-x4-1"})
    void meetsTheBoundWhereBtrPlaceDoes(String name) {
        DrainInstances.Peer peer = DrainInstances.peers().get(name);
        Schedule schedule = schedule(name);
        assertThat(schedule.lowerBoundMs() / 1000.0).isEqualTo(peer.makespanSeconds());
        assertThat(schedule.makespanMs()).isEqualTo(schedule.lowerBoundMs());
        assertThat(meanEndSeconds(schedule)).isLessThan(peer.meanEndSeconds());
    }

    @Test
    void theBoundIsThePublishedOne() {
        List<Long> bounds = new ArrayList<>();
        for (String name : List.of("infra-x1-1", "infra-x10-1", "vms-x4-1", "vms-x18-1")) {
            PlanCase plan = DrainInstances.read(name);
            bounds.add(Math.round(LowerBound.ms(BatchBuilder.build(plan, plan.givenMoves())) / 1000.0));
        }
        assertThat(bounds).containsExactly(406L, 289L, 1212L, 4975L);
    }

    @Test
    void theSameInputAndSeedGiveTheSamePlan() {
        assertThat(schedule("vms-x2-1")).isEqualTo(schedule("vms-x2-1"));
    }

    @Test
    void aMigrationTakesAsLongAsBtrPlaceSays() {
        Schedule schedule = schedule("infra-x1-1");
        // 2,000 MB at 1,000 / 9 MB/s: 18 s, and 5 MB of hot set
        assertThat(schedule.moves().stream().mapToLong(m -> m.endMs() - m.startMs()))
                .allMatch(duration -> duration % 1000 == 0)
                .contains(18_000L);
    }
}
