package io.godwit.plan.exact;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Rule;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Small fleets, full enough that room has to be made, beside what an exact solver says cannot be beaten. */
class ExactnessTest {
    private static final int FLEETS = 200;
    private static final long MBIT = 1000;

    private static PlanCase fleet(long seed) {
        Random random = new Random(seed);
        int hosts = 3 + random.nextInt(6);
        List<PlanHost> all = new ArrayList<>();
        List<PlanVm> vms = new ArrayList<>();
        for (int h = 0; h < hosts; h++) {
            boolean gpu = random.nextInt(3) == 0;
            all.add(new PlanHost(
                    "h" + h,
                    Map.of("memory", 4000L, "gpu", gpu ? 1L : 0L),
                    0,
                    0,
                    h > 2 && random.nextInt(8) == 0 ? "is cordoned" : "",
                    PlanHost.UNLIMITED,
                    PlanHost.UNLIMITED,
                    "",
                    Set.of()));
            long left = 4000 - 500L * random.nextInt(5);
            boolean free = gpu;
            while (left >= 500 && vms.size() < 20) {
                long memory = Math.min(left, 500L * (1 + random.nextInt(4)));
                left -= memory;
                boolean takes = free && random.nextInt(4) == 0;
                free &= !takes;
                vms.add(new PlanVm(
                        "v" + vms.size(),
                        "h" + h,
                        takes ? Map.of("memory", memory, "gpu", 1L) : Map.of("memory", memory),
                        RamProfile.idle((double) memory),
                        Long.MAX_VALUE,
                        0,
                        "",
                        random.nextInt(8) == 0
                                ? Set.copyOf(List.of("h" + h, "h" + random.nextInt(hosts), "h1"))
                                : Set.of(),
                        Set.of(),
                        Set.of()));
            }
        }
        List<Rule> rules = new ArrayList<>();
        if (vms.size() > 6 && !vms.get(0).host().equals(vms.get(5).host())) {
            rules.add(new Rule.Apart(List.of("v0", "v5"), true));
        }
        return Small.fleet(MBIT, all, vms, rules.toArray(Rule[]::new)).draining(Set.of("h0"));
    }

    @Test
    void planIsFoundWhereThereIsOneAndNearTheBest() {
        List<Double> moves = new ArrayList<>();
        List<Double> makespans = new ArrayList<>();
        int madeRoom = 0;
        for (int seed = 0; seed < FLEETS; seed++) {
            PlanCase fleet = fleet(seed);
            Optional<ExactPlacement.Best> best = ExactPlacement.of(fleet, MBIT);
            BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 20_000));
            assertThat(PlanChecker.check(fleet, plan)).as("fleet %d", seed).isEmpty();
            assertThat(plan.unmoved().isEmpty())
                    .as("fleet %d: %s", seed, plan.unmoved())
                    .isEqualTo(best.isPresent());
            if (best.isPresent() && best.get().moves() > 0) {
                long must = fleet.vms().stream()
                        .filter(vm -> vm.host().equals("h0"))
                        .count();
                madeRoom += best.get().moves() > must ? 1 : 0;
                moves.add((double) plan.moves().size() / best.get().moves());
                makespans.add((double) plan.makespanMs() / best.get().busiestMs());
            }
        }
        // the fleets are neither all easy nor all impossible
        assertThat(moves.size()).isBetween(FLEETS / 5, FLEETS - 10);
        assertThat(madeRoom).isPositive();
        assertThat(median(moves)).isBetween(1.0, 1.1);
        assertThat(median(makespans)).isBetween(1.0, 1.1);
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }
}
