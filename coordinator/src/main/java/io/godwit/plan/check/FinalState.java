package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What must be so when the plan is done, and the order of its moves. */
final class FinalState {
    private final PlanCase plan;
    private final Map<String, PlanHost> hosts;
    private final Map<String, PlanVm> vms;
    private final PlanChecker.Report report;

    FinalState(PlanCase plan, Map<String, PlanHost> hosts, Map<String, PlanVm> vms, PlanChecker.Report report) {
        this.plan = plan;
        this.hosts = hosts;
        this.vms = vms;
        this.report = report;
    }

    void check(List<ScheduledMove> moves, BatchPlan result, Map<String, Set<String>> places) {
        long end = makespan(moves);
        if (end != result.makespanMs()) {
            report.broken(end, Kind.END, "all is done at " + end + " ms; the plan says " + result.makespanMs());
        }
        if (end > plan.deadlineMs()) {
            report.broken(end, Kind.END, "all is done at " + end + " ms; the deadline is " + plan.deadlineMs());
        }
        Set<String> unmoved = new HashSet<>();
        result.unmoved().forEach(each -> unmoved.add(each.vm()));
        for (PlanVm vm : plan.vms()) {
            Set<String> at = places.getOrDefault(vm.name(), Set.of(vm.host()));
            String wanted = plan.destinations().get(vm.name());
            if (unmoved.contains(vm.name())) {
                continue;
            }
            if (wanted != null && !at.equals(Set.of(wanted))) {
                report.broken(end, Kind.LEFT, "vm '" + vm.name() + "' is on " + at + "; expected '" + wanted + "'");
            } else if (plan.drained().stream().anyMatch(at::contains)) {
                report.broken(end, Kind.LEFT, "vm '" + vm.name() + "' is on " + at + ", which is to be emptied");
            }
        }
        rules(moves, places, end, unmoved);
    }

    private void rules(List<ScheduledMove> moves, Map<String, Set<String>> places, long end, Set<String> unmoved) {
        Map<String, Long> first = new HashMap<>();
        Map<String, Long> last = new HashMap<>();
        for (ScheduledMove move : moves) {
            first.merge(move.vm(), move.startMs(), Math::min);
            last.merge(move.vm(), move.endMs(), Math::max);
        }
        for (Rule rule : plan.rules()) {
            switch (rule) {
                case Rule.Before(var before, var then) -> {
                    Long arrived = last.get(before);
                    Long started = first.get(then);
                    if (arrived != null && started != null && started < arrived) {
                        report.broken(
                                started,
                                Kind.RULE,
                                "vm '" + then + "' starts before vm '" + before + "' has arrived, at " + arrived
                                        + " ms");
                    }
                }
                case Rule.Together(var group, var hard) -> {
                    Set<String> at = new HashSet<>();
                    group.forEach(vm -> at.addAll(places.getOrDefault(vm, Set.of())));
                    boolean moved = group.stream().anyMatch(first::containsKey);
                    if (hard && moved && at.size() > 1 && group.stream().noneMatch(unmoved::contains)) {
                        report.broken(end, Kind.RULE, "vms " + group + " are to be together and are on " + at);
                    }
                }
                case Rule.Apart _ -> {} // looked at in every instant
            }
        }
    }

    private long makespan(List<ScheduledMove> moves) {
        long end = 0;
        Set<String> left = new HashSet<>();
        for (ScheduledMove move : moves) {
            left.add(move.from());
            PlanHost from = hosts.get(move.from());
            PlanHost to = hosts.get(move.to());
            if (from != null && to != null && vms.containsKey(move.vm())) {
                end = Math.max(end, Math.max(move.endMs() + from.powerOffMs(), to.bootMs()));
            }
        }
        for (PlanHost host : plan.hosts()) {
            if (!left.contains(host.name())) {
                end = Math.max(end, host.powerOffMs());
            }
        }
        return end;
    }
}
