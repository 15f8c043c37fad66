package io.godwit.plan.place;

import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.check.Violation;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Reserve;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Slots of pools, reserves, rules that may be broken, deadlines: kept by plans, and missed by the checker in none that breaks them. */
class ConstraintsTest {
    private static PlanCase with(PlanCase fleet, long deadlineMs, Set<String> drained, Reserve... reserves) {
        return new PlanCase(
                fleet.hosts(),
                fleet.vms(),
                fleet.network(),
                fleet.rules(),
                fleet.transfer(),
                drained,
                Map.of(),
                List.of(reserves),
                deadlineMs);
    }

    private static BatchPlan plan(PlanCase fleet) {
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 5000));
        assertThat(PlanChecker.check(fleet, plan)).isEmpty();
        return plan;
    }

    private static PlanHost pooled(String name, long memory, String pool, Long... slots) {
        return new PlanHost(
                name,
                Map.of("memory", memory),
                0,
                0,
                "",
                PlanHost.UNLIMITED,
                PlanHost.UNLIMITED,
                "",
                Set.of(),
                Map.of(pool, List.of(slots)));
    }

    private static PlanVm slotted(String name, String host, long memory, String pool, int count, long amount) {
        return new PlanVm(
                name,
                host,
                Map.of("memory", memory),
                RamProfile.idle((double) memory),
                Long.MAX_VALUE,
                0,
                "",
                Set.of(),
                Set.of(),
                Set.of(),
                Map.of(pool, new SlotNeed(count, amount)),
                Map.of());
    }

    @Test
    void twoHalvesAreNoWholeGpu() {
        PlanHost a = pooled("a", 9000, "gpu", 1000L);
        PlanHost b = pooled("b", 9000, "gpu", 1000L, 1000L);
        PlanHost c = pooled("c", 9000, "gpu", 1000L);
        PlanCase fleet = with(
                Small.fleet(
                        1000,
                        List.of(a, b, c),
                        List.of(
                                slotted("x", "a", 100, "gpu", 1, 1000),
                                slotted("y", "b", 100, "gpu", 2, 500),
                                slotted("z", "c", 100, "gpu", 1, 200))),
                Long.MAX_VALUE,
                Set.of("a"));
        BatchPlan plan = plan(fleet);
        // half of each of b's is free, and most of c's: z joins y on b, which frees all of c's
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves().stream().map(move -> move.vm() + move.to())).containsExactly("zb", "xc");
        assertThat(plan.moves().getLast().slots()).isEqualTo(Map.of("gpu", List.of(0)));
    }

    @Test
    void aVmThatNeedsOneNumaNodeIsNotSpreadOverTwo() {
        PlanHost a = pooled("a", 9000, "numa", 4000L, 4000L);
        PlanHost b = pooled("b", 9000, "numa", 1500L, 1500L);
        PlanCase one = with(
                Small.fleet(1000, List.of(a, b), List.of(slotted("x", "a", 2000, "numa", 1, 2000))),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(one).unmoved().getFirst().reason())
                .isEqualTo("needs 1 slots of numa with 2000 free: b has [1500, 1500]");
        PlanCase two = with(
                Small.fleet(1000, List.of(a, b), List.of(slotted("x", "a", 2000, "numa", 2, 1000))),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(two).moves().getFirst().slots()).isEqualTo(Map.of("numa", List.of(0, 1)));
    }

    @Test
    void theCheckerSeesASlotGivenTwice() {
        PlanHost b = pooled("b", 9000, "gpu", 1000L, 1000L);
        PlanCase fleet = with(
                Small.fleet(
                        1000,
                        List.of(pooled("a", 9000, "gpu", 1000L), b),
                        List.of(slotted("x", "a", 1000, "gpu", 1, 600), slotted("y", "b", 1000, "gpu", 1, 600))),
                Long.MAX_VALUE,
                Set.of("a"));
        BatchPlan sound = plan(fleet);
        ScheduledMove move = sound.moves().getFirst();
        assertThat(move.slots()).isEqualTo(Map.of("gpu", List.of(1)));
        for (Map<String, List<Integer>> wrong :
                List.of(Map.of("gpu", List.of(0)), Map.of("gpu", List.of(7)), Map.<String, List<Integer>>of())) {
            BatchPlan broken = new BatchPlan(
                    List.of(new ScheduledMove(
                            move.vm(), move.from(), move.to(), wrong, move.startMs(), move.endMs(), move.shares())),
                    List.of(),
                    sound.makespanMs(),
                    sound.lowerBoundMs());
            assertThat(PlanChecker.check(fleet, broken))
                    .extracting(Violation::kind)
                    .containsExactly(Violation.Kind.CAPACITY);
        }
    }

    @Test
    void asMuchAsTheLargestHostHasIsKeptFree() {
        PlanCase fleet = Small.fleet(
                1000,
                List.of(host("a", 2000), host("b", 2000), host("c", 2000), host("d", 2000)),
                List.of(vm("w", "a", 1000), vm("x", "a", 1000), vm("y", "b", 1500), vm("z", "c", 1500)));
        Reserve one = new Reserve.HostLoss("", Set.of("memory"), 1);
        // 6,000 stay, 2,000 of them free: 4,000 may be taken, 3,000 are
        BatchPlan plan = plan(with(fleet, Long.MAX_VALUE, Set.of("a"), one));
        assertThat(plan.moves()).hasSize(1);
        assertThat(plan.unmoved().getFirst().reason())
                .contains("must leave a reserve: ")
                .contains("0 may still be");
        assertThat(plan(with(fleet, Long.MAX_VALUE, Set.of("a"))).unmoved()).isEmpty();
    }

    @Test
    void aShareOfADomainIsKeptFree() {
        PlanHost racked = new PlanHost(
                "b", Map.of("memory", 4000L), 0, 0, "", PlanHost.UNLIMITED, PlanHost.UNLIMITED, "r1", Set.of());
        PlanCase fleet = Small.fleet(
                1000, List.of(host("a", 4000), racked, host("c", 600)), List.of(vm("x", "a", 500), vm("y", "b", 3000)));
        Reserve fifth = new Reserve.Share("r1", Set.of("memory"), 20);
        assertThat(plan(with(fleet, Long.MAX_VALUE, Set.of("a"), fifth))
                        .moves()
                        .getFirst()
                        .to())
                .isEqualTo("c");
        // in sum b may hold 3,200
        BatchPlan toB = new BatchPlan(
                List.of(new ScheduledMove("x", "a", "b", 0, 4000, List.of(new ScheduledMove.Share(0, 1000)))),
                List.of(),
                4000,
                4000);
        assertThat(PlanChecker.check(with(fleet, Long.MAX_VALUE, Set.of("a"), fifth), toB))
                .extracting(Violation::kind)
                .containsExactly(Violation.Kind.CAPACITY);
    }

    @Test
    void aRuleThatMayBeBrokenIsKeptWhereItCanBe() {
        List<PlanVm> vms = List.of(vm("x", "a", 100), vm("y", "b", 3000));
        Rule apart = new Rule.Apart(List.of("x", "y"), false);
        // c is fuller afterwards than b would be
        PlanCase fleet = with(
                Small.fleet(1000, List.of(host("a", 9000), host("b", 90_000), host("c", 101)), vms, apart),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(fleet).moves().getFirst().to()).isEqualTo("c");
        PlanCase noOther = with(
                Small.fleet(1000, List.of(host("a", 9000), host("b", 90_000)), vms, apart),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(noOther).moves().getFirst().to()).isEqualTo("b");
        PlanCase together = with(
                Small.fleet(
                        1000,
                        List.of(host("a", 9000), host("b", 3101), host("c", 90_000)),
                        vms,
                        new Rule.Together(List.of("x", "y"), false)),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(together).moves().getFirst().to()).isEqualTo("b");
    }

    @Test
    void whatCannotBeInTimeStaysAndSaysSo() {
        // 8 s each over one port
        PlanCase fleet = with(
                Small.fleet(
                        1000,
                        List.of(host("a", 9000), host("b", 9000)),
                        List.of(vm("x", "a", 1000), vm("y", "a", 1000), vm("z", "a", 1000))),
                17_000,
                Set.of("a"));
        BatchPlan plan = plan(fleet);
        assertThat(plan.moves()).hasSize(2);
        assertThat(plan.makespanMs()).isEqualTo(16_000);
        assertThat(plan.unmoved().getFirst().reason()).isEqualTo("must be done at 17000 ms: its turn ends at 24000 ms");
    }

    /** Two at once would be quicker for neither, and with half of the port their guests would stand still for too long. */
    @Test
    void nobodyIsSlowedDownBeyondItsBlackoutBudget() {
        List<PlanVm> vms = new ArrayList<>();
        for (String name : List.of("x", "y")) {
            // 50 MB at 125 MB/s: 400 ms
            vms.add(new PlanVm(
                    name,
                    name.equals("x") ? "a" : "b",
                    Map.of("memory", 1000L),
                    new RamProfile(1000, 50, 10, 0),
                    500,
                    0,
                    "",
                    Set.of(),
                    Set.of(),
                    Set.of()));
        }
        PlanCase fleet = with(
                Small.fleet(1000, List.of(host("a", 9000), host("b", 9000), host("c", 9000)), vms),
                Long.MAX_VALUE,
                Set.of("a", "b"));
        BatchPlan plan = plan(fleet);
        assertThat(plan.moves()).hasSize(2);
        assertThat(plan.moves().getLast().startMs())
                .isGreaterThanOrEqualTo(plan.moves().getFirst().endMs());
    }

    @Test
    void groupsThatShareAVmGoTogether() {
        PlanCase fleet = with(
                Small.fleet(
                        1000,
                        List.of(host("a", 9000), host("b", 1500), host("c", 3000), host("d", 2500)),
                        List.of(vm("x", "a", 1000), vm("y", "a", 1000), vm("z", "a", 1000)),
                        new Rule.Together(List.of("x", "y"), true),
                        new Rule.Together(List.of("y", "z"), true)),
                Long.MAX_VALUE,
                Set.of("a"));
        assertThat(plan(fleet).moves().stream().map(ScheduledMove::to)).containsExactly("c", "c", "c");
    }

    @Test
    void aHostWithoutALinkIsNoDestination() {
        PlanCase linked = Small.fleet(1000, List.of(host("a", 9000), host("b", 1000)), List.of(vm("x", "a", 500)));
        List<PlanHost> hosts = new ArrayList<>(linked.hosts());
        hosts.add(host("island", 90_000));
        PlanCase fleet = new PlanCase(
                hosts, linked.vms(), linked.network(), List.of(), Small.PLAIN, Set.of("a"), Map.of(), Long.MAX_VALUE);
        assertThat(plan(fleet).moves().getFirst().to()).isEqualTo("b");
    }

    /** With everything at once, whatever comes out is sound. */
    @Test
    void randomFleetsKeepEveryConstraint() {
        Random random = new Random(11);
        int moved = 0;
        for (int round = 0; round < 500; round++) {
            int hosts = 3 + random.nextInt(5);
            List<PlanHost> all = new ArrayList<>();
            List<PlanVm> vms = new ArrayList<>();
            for (int h = 0; h < hosts; h++) {
                all.add(new PlanHost(
                        "h" + h,
                        Map.of("memory", 4000L),
                        0,
                        0,
                        "",
                        1 + random.nextInt(3),
                        1 + random.nextInt(3),
                        "r" + h % 2,
                        Set.of(),
                        Map.of("gpu", List.of(1000L, 1000L), "numa", List.of(2000L, 2000L))));
                for (int v = random.nextInt(4); v > 0; v--) {
                    long memory = 300 + 100L * random.nextInt(8);
                    Map<String, SlotNeed> slots = random.nextInt(3) == 0
                            ? Map.of("gpu", new SlotNeed(1, 400))
                            : Map.of("numa", new SlotNeed(1, memory), "gpu", new SlotNeed(1 + random.nextInt(2), 300));
                    vms.add(new PlanVm(
                            "v" + vms.size(),
                            "h" + h,
                            Map.of("memory", memory),
                            new RamProfile((double) memory, random.nextInt(40), 2, random.nextInt(4)),
                            Long.MAX_VALUE,
                            random.nextInt(3),
                            "",
                            Set.of(),
                            Set.of(),
                            Set.of(),
                            slots,
                            Map.of()));
                }
            }
            List<Rule> rules = vms.size() < 3
                    ? List.of()
                    : List.of(
                            new Rule.Apart(List.of(vms.get(0).name(), vms.get(1).name()), false),
                            new Rule.Apart(List.of(vms.get(1).name(), vms.get(2).name()), true));
            PlanCase fleet = with(
                    Small.fleet(800, all, vms, rules.toArray(Rule[]::new)),
                    random.nextBoolean() ? Long.MAX_VALUE : 20_000,
                    Set.of("h0"),
                    new Reserve.Share("r1", Set.of("memory"), random.nextInt(60)),
                    new Reserve.HostLoss("", Set.of("memory"), 1));
            BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(round, 300));
            assertThat(PlanChecker.check(fleet, plan)).as("round %d", round).isEmpty();
            moved += plan.moves().size();
        }
        assertThat(moved).isGreaterThan(300);
    }
}
