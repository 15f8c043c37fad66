package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Reserves;
import io.godwit.plan.model.ScheduledMove;
import java.util.List;
import java.util.Map;

/** Whether the reserves are kept while the plan runs. */
final class ReserveReplay {
    private final PlanCase plan;
    private final Map<String, PlanHost> hosts;
    private final PlanChecker.Report report;
    private final List<Reserves.Limit> limits;
    private final long[] taken;

    ReserveReplay(PlanCase plan, Map<String, PlanHost> hosts, PlanChecker.Report report) {
        this.plan = plan;
        this.hosts = hosts;
        this.report = report;
        limits = Reserves.of(plan);
        taken = limits.stream().mapToLong(Reserves.Limit::taken).toArray();
    }

    void start(PlanVm vm, ScheduledMove move) {
        change(vm, move.to(), 1);
    }

    void end(PlanVm vm, ScheduledMove move) {
        change(vm, move.from(), -1);
    }

    private boolean covers(Reserves.Limit limit, String name) {
        PlanHost host = hosts.get(name);
        return host != null && limit.covers(host) && !plan.drained().contains(name);
    }

    private void change(PlanVm vm, String host, int sign) {
        for (int l = 0; l < taken.length; l++) {
            if (covers(limits.get(l), host)) {
                taken[l] += sign * vm.demand().getOrDefault(limits.get(l).resource(), 0L);
            }
        }
    }

    void look(long now, PlanVm vm, PlanHost to) {
        for (int l = 0; l < taken.length; l++) {
            Reserves.Limit limit = limits.get(l);
            if (covers(limit, to.name())
                    && vm.demand().getOrDefault(limit.resource(), 0L) > 0
                    && taken[l] > limit.most()) {
                report.broken(
                        now,
                        Kind.CAPACITY,
                        "with vm '" + vm.name() + "' on '" + to.name() + "', " + limit.name() + " is touched: "
                                + taken[l] + " taken of " + limit.most());
            }
        }
    }
}
