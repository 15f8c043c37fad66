package io.godwit.plan.place;

import static io.godwit.plan.schedule.Small.host;
import static io.godwit.plan.schedule.Small.vm;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.schedule.Small;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * VMs that fill their hosts and change places. With room for one elsewhere, each circle needs one extra move and no circle can do
 * with less: none of its VMs can be the first to arrive.
 */
class CyclesTest {
    /** VM i, on host i, goes to host {@code to[i]}; {@code spares} have room for the largest VM. */
    private static PlanCase fleet(int[] to, int[] sizes, int... spares) {
        List<PlanHost> hosts = new ArrayList<>();
        List<PlanVm> vms = new ArrayList<>();
        Map<String, String> destinations = new HashMap<>();
        for (int i = 0; i < to.length; i++) {
            hosts.add(host("h" + i, Math.max(sizes[i], largestTo(to, sizes, i))));
            vms.add(vm("v" + i, "h" + i, sizes[i]));
            if (to[i] != i) {
                destinations.put("v" + i, "h" + to[i]);
            }
        }
        for (int s = 0; s < spares.length; s++) {
            hosts.add(host("spare" + s, spares[s]));
        }
        PlanCase still = Small.fleet(1000, hosts, vms);
        return new PlanCase(
                still.hosts(),
                still.vms(),
                still.network(),
                still.rules(),
                still.transfer(),
                Set.of(),
                destinations,
                Long.MAX_VALUE);
    }

    private static int largestTo(int[] to, int[] sizes, int host) {
        int largest = 0;
        for (int i = 0; i < to.length; i++) {
            largest = to[i] == host ? Math.max(largest, sizes[i]) : largest;
        }
        return largest;
    }

    private static int[] same(int count) {
        int[] sizes = new int[count];
        Arrays.fill(sizes, 1000);
        return sizes;
    }

    /** Circles of these lengths, one after the other. */
    private static int[] circles(int... lengths) {
        int[] to = new int[Arrays.stream(lengths).sum()];
        int first = 0;
        for (int length : lengths) {
            for (int i = 0; i < length; i++) {
                to[first + i] = first + (i + 1) % length;
            }
            first += length;
        }
        return to;
    }

    private static void takes(PlanCase fleet, int moves) {
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 5000));
        assertThat(PlanChecker.check(fleet, plan)).isEmpty();
        assertThat(plan.unmoved()).isEmpty();
        assertThat(plan.moves()).hasSize(moves);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 8, 12, 20})
    void aCircleTakesOneExtraMove(int length) {
        takes(fleet(circles(length), same(length), 1000), length + 1);
    }

    @ParameterizedTest
    @CsvSource({"2, 2", "2, 5", "3, 7", "10, 10"})
    void twoCirclesTakeOneEachThroughTheSameSpareHost(int first, int second) {
        takes(fleet(circles(first, second), same(first + second), 1000), first + second + 2);
    }

    /** Of a circle of unequal VMs only the smallest finds room. */
    @Test
    void theOneThatFitsIsSentRound() {
        takes(fleet(circles(4), new int[] {4000, 1000, 3000, 2000}, 1000), 5);
    }

    /** As many extra moves as the permutation has circles, of whatever lengths. */
    @Test
    void anyPermutationTakesOneExtraMoveForEachOfItsCircles() {
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            int count = 2 + random.nextInt(11);
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                order.add(i);
            }
            Collections.shuffle(order, random);
            int[] to = order.stream().mapToInt(Integer::intValue).toArray();
            int moving = 0;
            int found = 0;
            boolean[] seen = new boolean[count];
            for (int i = 0; i < count; i++) {
                moving += to[i] == i ? 0 : 1;
                int at = i;
                int length = 0;
                while (!seen[at]) {
                    seen[at] = true;
                    at = to[at];
                    length++;
                }
                found += length > 1 ? 1 : 0;
            }
            int[] spares = new int[1 + random.nextInt(2)];
            Arrays.fill(spares, 1000);
            takes(fleet(to, same(count), spares), moving + found);
        }
    }
}
