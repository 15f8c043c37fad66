package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.HeldSlots;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.SlotNeed;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/** What is taken of every slot of every host's pools while the plan runs. */
final class SlotReplay {
    private record Slot(String host, String pool, int number) {}

    private final Map<String, PlanHost> hosts;
    private final PlanChecker.Report report;
    private final Map<Slot, Long> used = new HashMap<>();
    /** The slots of each VM on the host where it has been longest. */
    private final Map<String, Map<String, List<Integer>>> held = new HashMap<>();

    SlotReplay(PlanCase plan, Map<String, PlanHost> hosts, PlanChecker.Report report) {
        this.hosts = hosts;
        this.report = report;
        held.putAll(HeldSlots.initially(plan));
        for (PlanVm vm : plan.vms()) {
            take(vm, vm.host(), held.getOrDefault(vm.name(), Map.of()), 1);
        }
    }

    private void take(PlanVm vm, String host, Map<String, List<Integer>> slots, int sign) {
        vm.slots()
                .forEach((pool, need) -> slots.getOrDefault(pool, List.of())
                        .forEach(number -> used.merge(new Slot(host, pool, number), sign * need.amount(), Long::sum)));
    }

    void start(long now, PlanVm vm, ScheduledMove move) {
        vm.slots().forEach((pool, need) -> wanted(now, vm, move, pool, need));
        take(vm, move.to(), move.slots(), 1);
    }

    private void wanted(long now, PlanVm vm, ScheduledMove move, String pool, SlotNeed need) {
        List<Integer> given = move.slots().getOrDefault(pool, List.of());
        if (new HashSet<>(given).size() != need.count() || given.size() != need.count()) {
            report.broken(
                    now,
                    Kind.CAPACITY,
                    "vm '" + vm.name() + "' gets slots " + given + " of " + pool + " on '" + move.to() + "'; expected "
                            + need.count() + " different ones");
        }
    }

    void end(PlanVm vm, ScheduledMove move) {
        take(vm, move.from(), held.getOrDefault(vm.name(), Map.of()), -1);
        held.put(vm.name(), move.slots());
    }

    void look(long now, PlanVm vm, ScheduledMove move) {
        PlanHost to = hosts.get(move.to());
        if (to == null) {
            return;
        }
        for (String pool : vm.slots().keySet()) {
            List<Long> has = to.pools().getOrDefault(pool, List.of());
            for (int number : move.slots().getOrDefault(pool, List.of())) {
                long most = number >= 0 && number < has.size() ? has.get(number) : 0;
                long taken = used.getOrDefault(new Slot(to.name(), pool, number), 0L);
                if (taken > most) {
                    report.broken(
                            now,
                            Kind.CAPACITY,
                            "host '" + to.name() + "' gives out " + taken + " of slot " + number + " of " + pool
                                    + ", which has " + most);
                }
            }
        }
    }
}
