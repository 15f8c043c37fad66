package io.godwit.plan.exact;

import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.chocosolver.solver.Model;
import org.chocosolver.solver.Solution;
import org.chocosolver.solver.search.strategy.Search;
import org.chocosolver.solver.variables.BoolVar;
import org.chocosolver.solver.variables.IntVar;

/**
 * The best end of a drain, by a constraint solver that shares nothing with the planner: the fewest moves, and with so few the least
 * time in which the busiest port can carry them. How to get there is not asked: no plan can be better, and some may have to be worse.
 */
final class ExactPlacement {
    /**
     * What cannot be beaten.
     *
     * @param moves VMs that change their hosts
     * @param busiestMs time of the busiest port with that many moves, ms
     */
    record Best(int moves, long busiestMs) {}

    private final PlanCase plan;
    private final long mbit;
    private Model model = new Model();
    private BoolVar[][] at = new BoolVar[0][0];
    private IntVar moved;
    private IntVar busiest;

    private ExactPlacement(PlanCase plan, long mbit) {
        this.plan = plan;
        this.mbit = mbit;
        moved = model.intVar(0);
        busiest = model.intVar(0);
    }

    /** Empty when there is no placement at all. Every host has one link of {@code mbit} to one switch. */
    static Optional<Best> of(PlanCase plan, long mbit) {
        ExactPlacement exact = new ExactPlacement(plan, mbit);
        if (!exact.enough()) {
            return Optional.empty();
        }
        exact.build();
        Solution fewest = exact.model.getSolver().findOptimalSolution(exact.moved, false);
        if (fewest == null) {
            return Optional.empty();
        }
        int moves = fewest.getIntVal(exact.moved);
        exact.build();
        exact.model.arithm(exact.moved, "=", moves).post();
        Solution quickest = exact.model.getSolver().findOptimalSolution(exact.busiest, false);
        return Optional.of(new Best(moves, quickest.getIntVal(exact.busiest)));
    }

    /** Whether there is room in sum, which a constraint solver is slow to see. */
    private boolean enough() {
        for (String resource : resources()) {
            long left = 0;
            for (PlanHost host : plan.hosts()) {
                boolean open = host.closed().isEmpty() && !plan.drained().contains(host.name());
                left += open ? host.capacity().getOrDefault(resource, 0L) : 0;
            }
            for (PlanVm vm : plan.vms()) {
                boolean mayStay = plan.hosts().stream()
                        .anyMatch(host ->
                                host.name().equals(vm.host()) && !host.closed().isEmpty());
                left -= mayStay ? 0 : vm.demand().getOrDefault(resource, 0L);
            }
            if (left < 0) {
                return false;
            }
        }
        return true;
    }

    private SortedSet<String> resources() {
        TreeSet<String> resources = new TreeSet<>();
        plan.vms().forEach(vm -> resources.addAll(vm.demand().keySet()));
        return resources;
    }

    private void build() {
        model = new Model();
        List<PlanVm> vms = plan.vms();
        List<PlanHost> hosts = plan.hosts();
        at = model.boolVarMatrix(vms.size(), hosts.size());
        BoolVar[] leaves = new BoolVar[vms.size()];
        for (int v = 0; v < vms.size(); v++) {
            PlanVm vm = vms.get(v);
            model.sum(at[v], "=", 1).post();
            for (int h = 0; h < hosts.size(); h++) {
                PlanHost host = hosts.get(h);
                boolean here = host.name().equals(vm.host());
                boolean closed = plan.drained().contains(host.name())
                        || !here && !host.closed().isEmpty();
                boolean wrong =
                        !here && !vm.onlyHosts().isEmpty() && !vm.onlyHosts().contains(host.name());
                if (closed || wrong) {
                    model.arithm(at[v][h], "=", 0).post();
                }
                if (here) {
                    leaves[v] = at[v][h].not();
                }
            }
        }
        moved = model.intVar("moved", 0, vms.size());
        model.sum(leaves, "=", moved).post();
        capacities(vms, hosts);
        rules(vms, hosts);
        ports(vms, hosts, leaves);
        // whoever may stay stays: solutions with few moves come first
        List<BoolVar> order = new ArrayList<>();
        for (BoolVar leave : leaves) {
            order.add(leave.not());
        }
        for (BoolVar[] row : at) {
            order.addAll(List.of(row));
        }
        model.getSolver()
                .setSearch(
                        Search.inputOrderUBSearch(order.toArray(BoolVar[]::new)),
                        Search.inputOrderLBSearch(moved, busiest));
    }

    private void capacities(List<PlanVm> vms, List<PlanHost> hosts) {
        SortedSet<String> resources = resources();
        for (int h = 0; h < hosts.size(); h++) {
            for (String resource : resources) {
                int[] need = vms.stream()
                        .mapToInt(vm -> Math.toIntExact(vm.demand().getOrDefault(resource, 0L)))
                        .toArray();
                long has = hosts.get(h).capacity().getOrDefault(resource, 0L);
                model.scalar(column(h), need, "<=", Math.toIntExact(has)).post();
            }
        }
    }

    private void rules(List<PlanVm> vms, List<PlanHost> hosts) {
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Apart(var group, var _)) {
                for (int h = 0; h < hosts.size(); h++) {
                    BoolVar[] column = column(h);
                    int[] in = vms.stream()
                            .mapToInt(vm -> group.contains(vm.name()) ? 1 : 0)
                            .toArray();
                    model.scalar(column, in, "<=", 1).post();
                }
            }
        }
    }

    private void ports(List<PlanVm> vms, List<PlanHost> hosts, BoolVar[] leaves) {
        int[] duration = vms.stream()
                .mapToInt(vm -> Math.toIntExact(plan.transfer().durationMs(vm.ram(), mbit)))
                .toArray();
        int all = 0;
        for (int each : duration) {
            all += each;
        }
        busiest = model.intVar("busiest", 0, all);
        for (int h = 0; h < hosts.size(); h++) {
            BoolVar[] column = column(h);
            int[] comes = duration.clone();
            int[] goes = duration.clone();
            for (int v = 0; v < vms.size(); v++) {
                boolean here = vms.get(v).host().equals(hosts.get(h).name());
                comes[v] = here ? 0 : duration[v];
                goes[v] = here ? duration[v] : 0;
            }
            model.scalar(column, comes, "<=", busiest).post();
            model.scalar(leaves, goes, "<=", busiest).post();
        }
    }

    private BoolVar[] column(int h) {
        BoolVar[] column = new BoolVar[at.length];
        for (int v = 0; v < at.length; v++) {
            column[v] = at[v][h];
        }
        return column;
    }
}
