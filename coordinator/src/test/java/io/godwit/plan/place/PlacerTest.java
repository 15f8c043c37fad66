package io.godwit.plan.place;

import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlacerTest {
    private static PlanCase drain(PlanCase fleet, String... hosts) {
        return new PlanCase(
                fleet.hosts(),
                fleet.vms(),
                fleet.network(),
                fleet.rules(),
                fleet.transfer(),
                Set.of(hosts),
                Map.of(),
                Long.MAX_VALUE);
    }

    private static PlanCase to(PlanCase fleet, Map<String, String> destinations) {
        return new PlanCase(
                fleet.hosts(),
                fleet.vms(),
                fleet.network(),
                fleet.rules(),
                fleet.transfer(),
                Set.of(),
                destinations,
                Long.MAX_VALUE);
    }

    private static BatchPlan plan(PlanCase fleet) {
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 5000));
        assertThat(PlanChecker.check(fleet, plan)).isEmpty();
        return plan;
    }

    @Test
    void spreadsADrainOverTheHostsThatHaveRoom() {
        PlanCase fleet = drain(
                Small.fleet(
                        1000,
                        List.of(host("a", 4000), host("b", 4000), host("c", 4000)),
                        List.of(vm("w", "a", 1000), vm("x", "a", 1000), vm("y", "a", 1000), vm("z", "a", 1000))),
                "a");
        BatchPlan plan = plan(fleet);
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves().stream().map(ScheduledMove::to)).containsExactlyInAnyOrder("b", "b", "c", "c");
    }

    @Test
    void drainsTwoHostsJointlyNeverIntoEachOther() {
        PlanCase fleet = drain(
                Small.fleet(
                        1000,
                        List.of(host("a", 9000), host("b", 9000), host("c", 2000)),
                        List.of(vm("x", "a", 1000), vm("y", "b", 1000))),
                "a",
                "b");
        assertThat(plan(fleet).moves().stream().map(ScheduledMove::to)).containsExactly("c", "c");
    }

    @Test
    void makesRoomByMovingOneThatNeedNotMove() {
        // only b has the device that x needs, and b is full of z
        PlanHost b = PlanHost.of("b", Map.of("memory", 1000L, "gpu", 1L));
        PlanVm x = PlanVm.of("x", "a", Map.of("memory", 1000L, "gpu", 1L), RamProfile.idle(1000));
        PlanHost a = PlanHost.of("a", Map.of("memory", 1000L, "gpu", 1L));
        PlanCase fleet = drain(Small.fleet(1000, List.of(a, b, host("c", 1000)), List.of(x, vm("z", "b", 1000))), "a");
        BatchPlan plan = plan(fleet);
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves().stream().map(move -> move.vm() + move.to())).containsExactly("zc", "xb");
    }

    @Test
    void makesRoomByAChainOfTwo() {
        PlanHost a = PlanHost.of("a", Map.of("gpu", 1L));
        PlanHost b = PlanHost.of("b", Map.of("gpu", 1L, "nic", 1L, "m", 1L));
        PlanHost c = PlanHost.of("c", Map.of("nic", 1L, "m", 1L));
        PlanHost d = PlanHost.of("d", Map.of("m", 1L));
        PlanVm x = PlanVm.of("x", "a", Map.of("gpu", 1L), RamProfile.idle(100));
        PlanVm y = PlanVm.of("y", "b", Map.of("gpu", 1L), RamProfile.idle(100));
        PlanCase stuck = drain(Small.fleet(1000, List.of(a, b, c, d), List.of(x, y)), "a");
        assertThat(plan(stuck).unmoved()).hasSize(1);
        PlanVm holder = PlanVm.of("h", "b", Map.of("m", 1L, "gpu", 1L), RamProfile.idle(100));
        PlanVm next = PlanVm.of("n", "c", Map.of("m", 1L), RamProfile.idle(100));
        PlanHost c2 = PlanHost.of("c", Map.of("m", 1L, "gpu", 1L));
        PlanCase chain = drain(Small.fleet(1000, List.of(a, b, c2, d), List.of(x, holder, next)), "a");
        // h may only follow when n has left c; or x goes to c, which n leaves: one extra move is enough
        assertThat(plan(chain).unmoved()).isEmpty();
    }

    @Test
    void twoFullHostsSwapThroughAThird() {
        PlanCase fleet = to(
                Small.fleet(
                        1000,
                        List.of(host("a", 1000), host("b", 1000), host("c", 1000)),
                        List.of(vm("x", "a", 1000), vm("y", "b", 1000))),
                Map.of("x", "b", "y", "a"));
        BatchPlan plan = plan(fleet);
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves()).hasSize(3);
    }

    @Test
    void aCycleOfFiveTakesOneExtraMove() {
        List<PlanHost> hosts = new ArrayList<>();
        List<PlanVm> vms = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            hosts.add(host("h" + i, 1000));
            vms.add(vm("v" + i, "h" + i, 1000));
        }
        hosts.add(host("spare", 1000));
        PlanCase fleet =
                to(Small.fleet(1000, hosts, vms), Map.of("v0", "h1", "v1", "h2", "v2", "h3", "v3", "h4", "v4", "h0"));
        BatchPlan plan = plan(fleet);
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves()).hasSize(6);
    }

    @Test
    void aSwapWithoutAThirdHostIsExplained() {
        PlanCase fleet = to(
                Small.fleet(
                        1000,
                        List.of(host("a", 1000), host("b", 1000)),
                        List.of(vm("x", "a", 1000), vm("y", "b", 1000))),
                Map.of("x", "b", "y", "a"));
        assertThat(plan(fleet).unmoved()).hasSize(2).allSatisfy(each -> {
            assertThat(each.reason()).contains("held by others");
            assertThat(each.remedy()).contains("one more host");
        });
    }

    @Test
    void saysForEveryHostWhatForbidsItAndWhatWouldHelp() {
        PlanVm x = PlanVm.of("x", "a", Map.of("memory", 1000L, "gpu", 1L), RamProfile.idle(1000));
        PlanHost a = PlanHost.of("a", Map.of("memory", 1000L, "gpu", 1L));
        PlanHost b = PlanHost.of("b", Map.of("memory", 500L, "gpu", 1L));
        PlanHost c = PlanHost.of("c", Map.of("memory", 900L));
        PlanCase fleet = drain(Small.fleet(1000, List.of(a, b, c), List.of(x)), "a");
        Unmoved unmoved = plan(fleet).unmoved().getFirst();
        assertThat(unmoved.reason()).isEqualTo("needs 1000 memory: b has 500 left of 500, c has 900 left of 900");
        assertThat(unmoved.remedy()).contains("on b a change of 'needs 1000 memory' (b has 500 left of 500)");
    }

    @Test
    void theRestMovesWhenOneCannot() {
        PlanVm stays = new PlanVm(
                "s", "a", Map.of(), RamProfile.idle(1), 0, 0, "has a disk here", Set.of(), Set.of(), Set.of());
        PlanCase fleet = drain(
                Small.fleet(1000, List.of(host("a", 2000), host("b", 2000)), List.of(stays, vm("x", "a", 1000))), "a");
        BatchPlan plan = plan(fleet);
        assertThat(plan.moves()).hasSize(1);
        assertThat(plan.unmoved().getFirst().reason()).isEqualTo("has a disk here");
    }

    @Test
    void thoseThatBelongTogetherGoToOneHost() {
        PlanCase fleet = drain(
                Small.fleet(
                        1000,
                        List.of(host("a", 2000), host("b", 1000), host("c", 2000)),
                        List.of(vm("x", "a", 1000), vm("y", "a", 1000)),
                        new Rule.Together(List.of("x", "y"), true)),
                "a");
        assertThat(plan(fleet).moves().stream().map(ScheduledMove::to)).containsExactly("c", "c");
    }

    @Test
    void thoseKeptApartDoNotMeet() {
        PlanCase fleet = drain(
                Small.fleet(
                        1000,
                        List.of(host("a", 2000), host("b", 9000), host("c", 9000)),
                        List.of(vm("x", "a", 1000), vm("y", "b", 1000)),
                        new Rule.Apart(List.of("x", "y"), true)),
                "a");
        assertThat(plan(fleet).moves().getFirst().to()).isEqualTo("c");
    }

    /** Whatever comes out, the checker finds nothing wrong with it, and says so of the VMs that stay too. */
    @Test
    void randomFleetsArePlannedSoundly() {
        Random random = new Random(7);
        for (int round = 0; round < 500; round++) {
            int hosts = 2 + random.nextInt(6);
            List<PlanHost> all = new ArrayList<>();
            List<PlanVm> vms = new ArrayList<>();
            for (int h = 0; h < hosts; h++) {
                all.add(new PlanHost(
                        "h" + h,
                        Map.of("memory", 4000L, "gpu", (long) random.nextInt(2)),
                        random.nextInt(5) == 0 ? 3000 : 0,
                        0,
                        random.nextInt(8) == 0 ? "is cordoned" : "",
                        1 + random.nextInt(3),
                        1 + random.nextInt(3),
                        "",
                        Set.of()));
                long left = 4000;
                while (left > 1000 && random.nextInt(4) > 0) {
                    long memory = 500L + random.nextInt(1000);
                    left -= memory;
                    vms.add(PlanVm.of(
                            "v" + vms.size(),
                            "h" + h,
                            Map.of("memory", memory),
                            new RamProfile((double) memory, random.nextInt(40), 2, random.nextInt(4))));
                }
            }
            List<Rule> rules = vms.size() < 3
                    ? List.of()
                    : List.of(
                            new Rule.Before(vms.get(0).name(), vms.get(1).name()),
                            new Rule.Apart(List.of(vms.get(1).name(), vms.get(2).name()), true));
            PlanCase fleet = drain(
                    Small.fleet(400 + random.nextInt(1000), all, vms, rules.toArray(Rule[]::new)),
                    "h0",
                    "h" + (hosts - 1));
            BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(round, 300));
            assertThat(PlanChecker.check(fleet, plan)).as("round %d", round).isEmpty();
        }
    }
}
