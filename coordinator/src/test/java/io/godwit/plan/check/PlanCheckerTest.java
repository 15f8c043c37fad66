package io.godwit.plan.check;

import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import io.godwit.plan.schedule.DrainInstances;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sound plans pass; each kind of broken plan is told, and by its own kind. */
class PlanCheckerTest {
    /** 1,000 MB take 8 s at 1,000 Mbit/s. */
    private static PlanCase three(Rule... rules) {
        return Small.fleet(
                1000,
                List.of(host("a", 3000), host("b", 3000), host("c", 1000)),
                List.of(vm("x", "a", 1000), vm("y", "a", 1000), vm("z", "b", 1000)),
                rules);
    }

    private static ScheduledMove move(String vm, String from, String to, long start, long end) {
        return new ScheduledMove(vm, from, to, start, end, List.of(new Share(start, 1000)));
    }

    private static BatchPlan plan(long makespan, ScheduledMove... moves) {
        return new BatchPlan(List.of(moves), List.of(), makespan, 0);
    }

    private static List<Kind> kinds(PlanCase fleet, BatchPlan plan) {
        return PlanChecker.check(fleet, plan).stream().map(Violation::kind).toList();
    }

    @Test
    void aSoundPlanBreaksNothing() {
        BatchPlan sound = plan(16_000, move("x", "a", "b", 0, 8000), move("y", "a", "c", 8000, 16_000));
        assertThat(PlanChecker.check(three(), sound)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"infra-x1-1", "random-infra-x4-1", "vms-x8-1", "random-vms-x1-1"})
    void whatIsPlannedForTheInstancesIsSound(String name) {
        PlanCase fleet = DrainInstances.read(name);
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 100_000));
        assertThat(plan.unmoved()).isEmpty();
        assertThat(PlanChecker.check(fleet, plan)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"infra-x1-1", "random-vms-x4-1"})
    void everyMoveThatIsMadeToStartEarlierIsSeen(String name) {
        PlanCase fleet = DrainInstances.read(name);
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 100_000));
        for (int m = 0; m < plan.moves().size(); m++) {
            ScheduledMove move = plan.moves().get(m);
            List<ScheduledMove> moves = new ArrayList<>(plan.moves());
            // copied 1 s faster than the link carries
            moves.set(
                    m,
                    new ScheduledMove(
                            move.vm(), move.from(), move.to(), move.startMs(), move.endMs() - 1000, move.shares()));
            assertThat(kinds(fleet, new BatchPlan(moves, plan.unmoved(), plan.makespanMs(), plan.lowerBoundMs())))
                    .contains(Kind.DURATION);
        }
    }

    @Test
    void namesThatAreNotInTheFleet() {
        assertThat(kinds(three(), plan(8000, move("ghost", "a", "b", 0, 8000)))).contains(Kind.UNKNOWN);
        assertThat(kinds(three(), plan(8000, move("x", "a", "nowhere", 0, 8000))))
                .contains(Kind.UNKNOWN);
    }

    @Test
    void aVmThatIsNotThereOrStillOnItsWay() {
        assertThat(kinds(three(), plan(8000, move("x", "b", "c", 0, 8000)))).contains(Kind.PLACE);
        assertThat(kinds(three(), plan(12_000, move("x", "a", "b", 0, 8000), move("x", "b", "c", 4000, 12_000))))
                .contains(Kind.PLACE);
        assertThat(kinds(three(), plan(8000, move("x", "a", "a", 0, 8000)))).contains(Kind.PLACE);
    }

    @Test
    void moreMemoryThanThereIsEvenForAMoment() {
        // z is on b until 8,000 ms; c has room for one
        PlanCase fleet = Small.fleet(
                1000,
                List.of(host("a", 3000), host("b", 1000), host("c", 1000)),
                List.of(vm("x", "a", 1000), vm("z", "b", 1000)));
        assertThat(kinds(fleet, plan(15_999, move("z", "b", "c", 0, 8000), move("x", "a", "b", 7999, 15_999))))
                .containsExactly(Kind.CAPACITY);
        assertThat(kinds(fleet, plan(16_000, move("z", "b", "c", 0, 8000), move("x", "a", "b", 8000, 16_000))))
                .isEmpty();
    }

    @Test
    void moreThanALinkCarriesEvenForAMoment() {
        assertThat(kinds(three(), plan(15_999, move("x", "a", "b", 0, 8000), move("y", "a", "c", 7999, 15_999))))
                .containsOnly(Kind.LINK);
    }

    @Test
    void moreMigrationsThanAHostAllows() {
        PlanCase fleet = new PlanCase(
                List.of(Small.limited("a", 9000, 1, 9), Small.limited("b", 9000, 9, 1), host("c", 9000)),
                List.of(vm("x", "a", 1000), vm("y", "a", 1000), vm("z", "c", 1000)),
                Network.NONE,
                List.of(),
                Small.PLAIN,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
        assertThat(kinds(fleet, plan(8000, move("x", "a", "b", 0, 8000), move("y", "a", "c", 0, 8000))))
                .containsOnly(Kind.LIMIT);
        assertThat(kinds(fleet, plan(8000, move("x", "a", "b", 0, 8000), move("z", "c", "b", 0, 8000))))
                .containsOnly(Kind.LIMIT);
    }

    @Test
    void hostsThatAreClosedEmptiedOrAsleep() {
        PlanHost cordoned = new PlanHost("b", Map.of("memory", 3000L), 0, 0, "is cordoned", 9, 9, "", Set.of());
        PlanHost asleep = new PlanHost("c", Map.of("memory", 3000L), 5000, 0, "", 9, 9, "", Set.of());
        PlanCase fleet = Small.fleet(
                1000, List.of(host("a", 3000), cordoned, asleep), List.of(vm("x", "a", 1000), vm("y", "a", 1000)));
        assertThat(kinds(fleet, plan(8000, move("x", "a", "b", 0, 8000)))).containsExactly(Kind.HOST);
        assertThat(kinds(fleet, plan(12_999, move("x", "a", "c", 4999, 12_999))))
                .containsExactly(Kind.HOST);
        assertThat(kinds(fleet, plan(13_000, move("x", "a", "c", 5000, 13_000))))
                .isEmpty();
    }

    @Test
    void aVmLeftOnAHostThatIsToBeEmptied() {
        PlanCase fleet = DrainInstances.read("infra-x1-1");
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 1000));
        List<ScheduledMove> moves = plan.moves().subList(1, plan.moves().size());
        BatchPlan less = new BatchPlan(moves, List.of(), plan.makespanMs(), plan.lowerBoundMs());
        assertThat(kinds(fleet, less)).containsOnly(Kind.LEFT);
        Unmoved said = new Unmoved(plan.moves().getFirst().vm(), "", "");
        assertThat(kinds(fleet, new BatchPlan(moves, List.of(said), plan.makespanMs(), 0)))
                .isEmpty();
    }

    @Test
    void whereAVmMayNotBe() {
        PlanVm pinned = new PlanVm(
                "x", "a", Map.of(), RamProfile.idle(1000), Long.MAX_VALUE, 0, "", Set.of("c"), Set.of(), Set.of());
        PlanVm banned = new PlanVm(
                "y", "a", Map.of(), RamProfile.idle(1000), Long.MAX_VALUE, 0, "", Set.of(), Set.of(), Set.of("b"));
        PlanVm tagged = new PlanVm(
                "z", "a", Map.of(), RamProfile.idle(1000), Long.MAX_VALUE, 0, "", Set.of(), Set.of("ssd"), Set.of());
        PlanVm stays = new PlanVm(
                "s",
                "a",
                Map.of(),
                RamProfile.idle(1000),
                Long.MAX_VALUE,
                0,
                "has a disk here",
                Set.of(),
                Set.of(),
                Set.of());
        PlanCase fleet = Small.fleet(
                1000, List.of(host("a", 1), host("b", 1), host("c", 1)), List.of(pinned, banned, tagged, stays));
        for (String vm : List.of("x", "y", "z", "s")) {
            assertThat(kinds(fleet, plan(8000, move(vm, "a", "b", 0, 8000)))).containsExactly(Kind.FORBIDDEN);
        }
    }

    @Test
    void rulesBetweenVms() {
        assertThat(kinds(three(new Rule.Apart(List.of("x", "z"), true)), plan(8000, move("x", "a", "b", 0, 8000))))
                .containsExactly(Kind.RULE);
        assertThat(kinds(three(new Rule.Apart(List.of("x", "z"), false)), plan(8000, move("x", "a", "b", 0, 8000))))
                .isEmpty();
        assertThat(kinds(three(new Rule.Together(List.of("x", "y"), true)), plan(8000, move("x", "a", "b", 0, 8000))))
                .containsExactly(Kind.RULE);
        assertThat(kinds(
                        three(new Rule.Before("y", "x")),
                        plan(16_000, move("x", "a", "b", 0, 8000), move("y", "a", "c", 8000, 16_000))))
                .containsExactly(Kind.RULE);
    }

    @Test
    void aStandstillLongerThanTheGuestAccepts() {
        // 60 ms, and 50 MB of pinned memory at 125 MB/s: 460 ms
        RamProfile ram = new RamProfile(1000, 0, 1, 0, 50);
        for (long budget : new long[] {459, 460}) {
            PlanVm vm = new PlanVm("x", "a", Map.of(), ram, budget, 0, "", Set.of(), Set.of(), Set.of());
            PlanCase fleet = Small.fleet(1000, List.of(host("a", 1), host("b", 1)), List.of(vm));
            assertThat(kinds(fleet, plan(9000, move("x", "a", "b", 0, 9000))))
                    .isEqualTo(budget == 459 ? List.of(Kind.BLACKOUT) : List.of());
        }
    }

    @Test
    void bandwidthThatIsNotThereOrOutOfOrder() {
        ScheduledMove none = new ScheduledMove("x", "a", "b", 0, 8000, List.of());
        ScheduledMove zero = new ScheduledMove("x", "a", "b", 0, 8000, List.of(new Share(0, 0)));
        ScheduledMove back = new ScheduledMove("x", "a", "b", 0, 8000, List.of(new Share(0, 1000), new Share(0, 1000)));
        ScheduledMove slow =
                new ScheduledMove("x", "a", "b", 0, 8000, List.of(new Share(0, 1000), new Share(4000, 500)));
        for (ScheduledMove move : List.of(none, zero, back, slow)) {
            assertThat(kinds(three(), plan(8000, move))).containsExactly(Kind.DURATION);
        }
    }

    @Test
    void anEndAfterTheDeadlineOrOtherThanSaid() {
        PlanCase fleet = three();
        PlanCase hurried = new PlanCase(
                fleet.hosts(), fleet.vms(), fleet.network(), List.of(), fleet.transfer(), Set.of(), Map.of(), 7999);
        assertThat(kinds(hurried, plan(8000, move("x", "a", "b", 0, 8000)))).containsExactly(Kind.END);
        assertThat(kinds(fleet, plan(7999, move("x", "a", "b", 0, 8000)))).containsExactly(Kind.END);
    }
}
