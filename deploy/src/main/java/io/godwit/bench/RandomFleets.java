package io.godwit.bench;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Reserve;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.model.TransferModel;
import io.godwit.plan.schedule.Scheduler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Small fleets drawn at random with every kind of constraint, planned and replayed: no plan may break anything. */
final class RandomFleets {
    private static final long EFFORT = 300;

    /**
     * What came of them.
     *
     * @param plans how many were planned
     * @param moves migrations in all of them
     * @param unmoved VMs that could not move
     * @param broken seeds of those that break something
     */
    record Outcome(int plans, long moves, long unmoved, List<Long> broken) {}

    private RandomFleets() {}

    static Outcome plan(int count) {
        long moves = 0;
        long unmoved = 0;
        List<Long> broken = new ArrayList<>();
        for (long seed = 0; seed < count; seed++) {
            PlanCase fleet = of(seed);
            BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(seed, EFFORT));
            if (!PlanChecker.check(fleet, plan).isEmpty()) {
                broken.add(seed);
            }
            moves += plan.moves().size();
            unmoved += plan.unmoved().size();
        }
        return new Outcome(count, moves, unmoved, broken);
    }

    private static PlanCase of(long seed) {
        Random random = new Random(seed);
        int hosts = 3 + random.nextInt(6);
        List<PlanHost> all = new ArrayList<>();
        List<PlanVm> vms = new ArrayList<>();
        List<Link> links = new ArrayList<>();
        Map<String, Long> switches = new HashMap<>();
        for (int h = 0; h < hosts; h++) {
            String rack = "r" + h % 2;
            if (switches.put(rack, Network.UNLIMITED) == null) {
                links.add(new Link(rack, "core", 500L + random.nextInt(2000)));
            }
            links.add(new Link("h" + h, rack, 500L + random.nextInt(1000)));
            all.add(host(random, h, rack));
            for (int v = random.nextInt(5); v > 0; v--) {
                vms.add(vm(random, vms.size(), h, hosts));
            }
        }
        switches.put("core", random.nextBoolean() ? Network.UNLIMITED : 1500);
        return new PlanCase(
                all,
                vms,
                new Network(switches, links, List.of()),
                rules(random, vms),
                TransferModel.STANDARD,
                random.nextInt(3) == 0 ? Set.of("h0", "h1") : Set.of("h0"),
                Map.of(),
                random.nextBoolean()
                        ? List.of()
                        : List.of(
                                new Reserve.Share("r1", Set.of("memory"), random.nextInt(50)),
                                new Reserve.HostLoss("", Set.of("memory"), 1)),
                random.nextInt(3) > 0 ? Long.MAX_VALUE : 20_000);
    }

    private static PlanHost host(Random random, int h, String rack) {
        return new PlanHost(
                "h" + h,
                Map.of("memory", 4000L, "gpu", (long) random.nextInt(3)),
                random.nextInt(6) == 0 ? 3000 : 0,
                random.nextInt(6) == 0 ? 2000 : 0,
                random.nextInt(8) == 0 ? "is cordoned" : "",
                1 + random.nextInt(3),
                1 + random.nextInt(3),
                rack,
                random.nextBoolean() ? Set.of("ssd") : Set.of(),
                Map.of("numa", List.of(2000L, 2000L), "shared", List.of(1000L, 1000L)));
    }

    private static PlanVm vm(Random random, int number, int h, int hosts) {
        long memory = 300 + 100L * random.nextInt(12);
        Map<String, Long> demand = new HashMap<>(Map.of("memory", memory));
        if (random.nextInt(6) == 0) {
            demand.put("gpu", 1L);
        }
        Map<String, SlotNeed> slots = new HashMap<>();
        if (random.nextInt(3) == 0) {
            slots.put("numa", new SlotNeed(1, memory));
        }
        if (random.nextInt(3) == 0) {
            slots.put("shared", new SlotNeed(1 + random.nextInt(2), 300));
        }
        return new PlanVm(
                "v" + number,
                "h" + h,
                demand,
                new RamProfile((double) memory, random.nextInt(40), 2, random.nextInt(4), random.nextInt(30)),
                random.nextInt(4) == 0 ? 500L + random.nextInt(1000) : Long.MAX_VALUE,
                random.nextInt(3),
                random.nextInt(20) == 0 ? "has a disk here" : "",
                random.nextInt(8) == 0 ? Set.copyOf(List.of("h1", "h" + random.nextInt(hosts))) : Set.of(),
                random.nextInt(8) == 0 ? Set.of("ssd") : Set.of(),
                random.nextInt(8) == 0 ? Set.of("h" + random.nextInt(hosts)) : Set.of(),
                slots,
                Map.of());
    }

    private static List<Rule> rules(Random random, List<PlanVm> vms) {
        List<Rule> rules = new ArrayList<>();
        for (int r = random.nextInt(4); r > 0 && vms.size() > 2; r--) {
            String a = vms.get(random.nextInt(vms.size())).name();
            String b = vms.get(random.nextInt(vms.size())).name();
            if (a.equals(b)) {
                continue;
            }
            switch (random.nextInt(5)) {
                case 0 -> rules.add(new Rule.Before(a, b));
                case 1 -> rules.add(new Rule.Together(List.of(a, b), false));
                case 2 -> rules.add(new Rule.Together(List.of(a, b), true));
                case 3 -> rules.add(new Rule.Apart(List.of(a, b), false));
                default -> rules.add(new Rule.Apart(List.of(a, b), true));
            }
        }
        return rules;
    }
}
