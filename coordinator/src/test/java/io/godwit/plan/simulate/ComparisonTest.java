package io.godwit.plan.simulate;

import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.schedule.DrainInstances;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final Scheduler.Effort EFFORT = new Scheduler.Effort(1, 100_000);

    private static Outcome of(List<Outcome> outcomes, String policy) {
        return outcomes.stream()
                .filter(each -> each.policy().equals(policy))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void flowsShareLinksFairly() {
        // two flows through a link of 10, one of them through one of 2 as well; a third alone with what the second
        // leaves
        FairShare fair = new FairShare(new double[] {10, 2, 100});
        double[] mbit = new double[4];
        fair.share(
                new int[][] {{0}, {0, 1}, {2}, {2}}, new int[] {0, 1, 2, 3}, 4, new double[] {100, 100, 30, 100}, mbit);
        assertThat(mbit).containsExactly(new double[] {8, 2, 30, 70}, within(1e-6));
    }

    /** Four VMs of 8 s each leave over one port: alone, at once, or in waves, they take as long; the mean tells. */
    @Test
    void policiesStartWhatTheyAllow() {
        List<PlanVm> vms = new ArrayList<>();
        for (int v = 0; v < 4; v++) {
            vms.add(vm("v" + v, "a", 1000));
        }
        PlanCase fleet = Small.fleet(1000, List.of(host("a", 4000), host("b", 9000)), vms)
                .draining(Set.of("a"));
        BatchPlan plan = BatchPlanner.plan(fleet, EFFORT);
        List<Outcome> outcomes = Comparison.of(fleet, plan, 0, 1);
        assertThat(of(outcomes, "godwit")).isEqualTo(new Outcome("godwit", 32_000, 20_000, 1, 0));
        assertThat(of(outcomes, "nova")).isEqualTo(new Outcome("nova", 32_000, 20_000, 1, 0));
        assertThat(of(outcomes, "kubevirt")).isEqualTo(new Outcome("kubevirt", 32_000, 24_000, 2, 0));
        assertThat(of(outcomes, "vsphere")).isEqualTo(new Outcome("vsphere", 32_000, 32_000, 4, 0));
        assertThat(of(outcomes, "waves of 2").peak()).isEqualTo(1); // one comes in at a time
    }

    @Test
    void whoStartsTooManyStarvesGuestsThatWriteFast() {
        List<PlanVm> vms = new ArrayList<>();
        for (int v = 0; v < 8; v++) {
            // 20 MB/s of 125
            vms.add(PlanVm.of("v" + v, "a", Map.of("memory", 1000L), new RamProfile(1000, 200, 10, 0)));
        }
        PlanCase fleet = Small.fleet(1000, List.of(host("a", 8000), host("b", 9000)), vms)
                .draining(Set.of("a"));
        List<Outcome> outcomes = Comparison.of(fleet, BatchPlanner.plan(fleet, EFFORT), 0, 1);
        assertThat(of(outcomes, "vsphere").unfinished()).isEqualTo(8);
        assertThat(of(outcomes, "godwit").unfinished()).isZero();
    }

    /** On the published drains, with durations 10 % off in the mean, none of the peers is quicker. */
    @Test
    void noPeerIsQuickerOnThePublishedDrains() {
        for (String name : List.of("infra-x2-1", "vms-x2-1", "vms-x4-2")) {
            PlanCase instance = DrainInstances.read(name);
            BatchPlan plan = BatchPlanner.plan(instance, EFFORT);
            List<Outcome> outcomes = Comparison.of(instance, plan, 0.1, 1);
            Outcome ours = outcomes.getFirst();
            assertThat(ours.unfinished()).isZero();
            // without noise the run is the plan, but for hosts that power off at the end
            assertThat(Comparison.of(instance, plan, 0, 1).getFirst().makespanMs())
                    .isBetween(plan.makespanMs() * 9 / 10, plan.makespanMs());
            // those that never end are no gain
            assertThat(outcomes)
                    .filteredOn(peer -> peer.unfinished() == 0)
                    .hasSizeGreaterThan(1)
                    .allSatisfy(peer -> {
                        assertThat(peer.makespanMs())
                                .as("%s on %s", peer.policy(), name)
                                .isGreaterThanOrEqualTo(ours.makespanMs());
                        assertThat(peer.meanEndMs())
                                .as("%s on %s", peer.policy(), name)
                                .isGreaterThanOrEqualTo(ours.meanEndMs());
                    });
            assertThat(Comparison.of(instance, plan, 0.1, 1)).isEqualTo(outcomes);
        }
    }
}
