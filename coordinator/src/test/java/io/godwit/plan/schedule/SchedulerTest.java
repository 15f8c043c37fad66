package io.godwit.plan.schedule;

import static io.godwit.plan.schedule.Small.fleet;
import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.limited;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.plan.model.Move;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SchedulerTest {
    private static final Scheduler.Effort LITTLE = new Scheduler.Effort(1, 20_000);

    private static Schedule schedule(PlanCase plan, Move... moves) {
        return Scheduler.schedule(plan, List.of(moves), LITTLE);
    }

    private static ScheduledMove of(Schedule schedule, String vm) {
        return schedule.moves().stream()
                .filter(move -> move.vm().equals(vm))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void twoThatShareNothingRunAtOnce() {
        PlanCase plan = fleet(
                1000,
                List.of(host("a", 9000), host("b", 9000), host("c", 9000), host("d", 9000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 2000)));
        Schedule schedule = schedule(plan, new Move("x", "a", "c"), new Move("y", "b", "d"));
        assertThat(of(schedule, "x").endMs()).isEqualTo(8000);
        assertThat(of(schedule, "y").startMs()).isZero();
        assertThat(schedule.makespanMs()).isEqualTo(16_000).isEqualTo(schedule.lowerBoundMs());
    }

    @Test
    void aVmWaitsUntilAnotherHasLeftItsDestination() {
        PlanCase plan = fleet(
                1000,
                List.of(host("a", 1000), host("b", 1000), host("c", 1000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 1000)));
        Schedule schedule = schedule(plan, new Move("x", "a", "b"), new Move("y", "b", "c"));
        assertThat(of(schedule, "y").startMs()).isZero();
        assertThat(of(schedule, "x").startMs()).isEqualTo(8000);
    }

    @Test
    void saysWhichCanNeverStart() {
        PlanCase plan =
                fleet(1000, List.of(host("a", 1000), host("b", 1000)), List.of(vm("x", "a", 1000), vm("y", "b", 1000)));
        Move there = new Move("x", "a", "b");
        Move back = new Move("y", "b", "a");
        assertThat(schedule(plan, there, back).stuck()).containsExactlyInAnyOrder(there, back);
    }

    @Test
    void aSwapGoesThroughAThirdHostWhenTheMovesSaySo() {
        PlanCase plan = fleet(
                1000,
                List.of(host("a", 1000), host("b", 1000), host("c", 1000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 1000)));
        Schedule schedule = schedule(plan, new Move("x", "a", "c"), new Move("y", "b", "a"), new Move("x", "c", "b"));
        assertThat(schedule.stuck()).isEmpty();
        assertThat(schedule.makespanMs()).isEqualTo(24_000);
    }

    @Test
    void whatTwoNeedIsSharedAndGivenBackWhenOneEnds() {
        // the destination's link carries 1,000, each source's 600: 600 and 400, then 600 for the second
        PlanCase two = new PlanCase(
                List.of(host("a", 9000), host("b", 9000), host("c", 9000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 1000)),
                new Network(
                        Map.of("switch", Network.UNLIMITED),
                        List.of(
                                new Link("a", "switch", 600),
                                new Link("b", "switch", 600),
                                new Link("c", "switch", 1000)),
                        List.of()),
                List.of(),
                Small.PLAIN,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
        Schedule schedule = schedule(two, new Move("x", "a", "c"), new Move("y", "b", "c"));
        ScheduledMove last = schedule.moves().stream()
                .filter(move -> move.shares().size() == 2)
                .findFirst()
                .orElseThrow();
        assertThat(last.shares()).containsExactly(new Share(0, 400), new Share(13_333, 600));
        // 13.333 s at 400 are 5,333 of 8,000 Mbit; the rest at 600
        assertThat(last.endMs()).isEqualTo(17_778);
    }

    @Test
    void aGuestThatWritesALotIsNotStartedOnASliverOfTheLink() {
        PlanVm busy = PlanVm.of("busy", "b", Map.of(), new RamProfile(1000, 60, 2, 0));
        PlanCase plan = new PlanCase(
                List.of(host("a", 9000), host("b", 9000), host("c", 9000)),
                List.of(vm("x", "a", 1000), busy),
                new Network(
                        Map.of("switch", Network.UNLIMITED),
                        List.of(
                                new Link("a", "switch", 600),
                                new Link("b", "switch", 900),
                                new Link("c", "switch", 1000)),
                        List.of()),
                List.of(),
                Small.PLAIN,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
        Schedule schedule = schedule(plan, new Move("x", "a", "c"), new Move("busy", "b", "c"));
        // 400 Mbit/s are 50 MB/s, 30 of which it dirties: it waits for more, or goes first
        assertThat(of(schedule, "busy").shares()).allMatch(share -> share.mbitPerSecond() > 400);
    }

    @Test
    void aHostsOwnLimitsHold() {
        PlanCase plan = new PlanCase(
                List.of(limited("a", 9000, 1, 9), limited("b", 9000, 9, 9), limited("c", 9000, 9, 9)),
                List.of(vm("x", "a", 1000), vm("y", "a", 1000)),
                Network.NONE,
                List.of(),
                Small.PLAIN,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
        Schedule schedule = schedule(plan, new Move("x", "a", "b"), new Move("y", "a", "c"));
        assertThat(schedule.moves().getLast().startMs())
                .isEqualTo(schedule.moves().getFirst().endMs());
    }

    @Test
    void theOneThatMustGoFirstHasArrivedWhenTheOtherStarts() {
        PlanCase plan = fleet(
                1000,
                List.of(host("a", 9000), host("b", 9000), host("c", 9000), host("d", 9000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 1000)),
                new Rule.Before("y", "x"));
        Schedule schedule = schedule(plan, new Move("x", "a", "c"), new Move("y", "b", "d"));
        assertThat(of(schedule, "x").startMs()).isEqualTo(of(schedule, "y").endMs());
    }

    @Test
    void thoseKeptApartAreSoInFlightToo() {
        PlanCase plan = fleet(
                1000,
                List.of(host("a", 9000), host("b", 9000), host("c", 9000)),
                List.of(vm("x", "a", 1000), vm("y", "b", 1000)),
                new Rule.Apart(List.of("x", "y"), true));
        Schedule schedule = schedule(plan, new Move("x", "a", "b"), new Move("y", "b", "c"));
        assertThat(of(schedule, "x").startMs()).isEqualTo(of(schedule, "y").endMs());
    }

    @Test
    void waitsForABootAndPowersOffAtTheEnd() {
        PlanHost asleep = new PlanHost("b", Map.of("memory", 9000L), 5000, 0, "", 9, 9, "", Set.of());
        PlanHost leaving = new PlanHost("a", Map.of("memory", 9000L), 0, 3000, "", 9, 9, "", Set.of());
        PlanCase plan = fleet(1000, List.of(leaving, asleep), List.of(vm("x", "a", 1000)));
        Schedule schedule = schedule(plan, new Move("x", "a", "b"));
        assertThat(of(schedule, "x").startMs()).isEqualTo(5000);
        assertThat(schedule.makespanMs()).isEqualTo(16_000).isEqualTo(schedule.lowerBoundMs());
    }

    @Test
    void aVmThatDirtiesFasterThanTheLinkCarriesNeverStarts() {
        PlanVm wild = PlanVm.of("w", "a", Map.of(), new RamProfile(1000, 500, 1, 0));
        PlanCase plan = fleet(1000, List.of(host("a", 1), host("b", 1)), List.of(wild));
        Move move = new Move("w", "a", "b");
        assertThat(schedule(plan, move).stuck()).containsExactly(move);
    }

    @Test
    void nothingToDoTakesNoTime() {
        PlanCase plan = fleet(1000, List.of(host("a", 1)), List.of());
        assertThat(schedule(plan).makespanMs()).isZero();
    }

    @Test
    void refusesAMoveOfAnUnknownVm() {
        PlanCase plan = fleet(1000, List.of(host("a", 1)), List.of());
        assertThatThrownBy(() -> schedule(plan, new Move("ghost", "a", "a"))).hasMessageContaining("'ghost'");
    }
}
