package io.godwit.plan;

import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The moves of a plan by which others make room, and for whom. Takes out those that nobody needs, and does without the second half of
 * a way round a third host: a live evacuation moves each VM once.
 */
final class ExtraMoves {
    private final PlanCase plan;
    private final Map<String, PlanVm> vms;

    private ExtraMoves(PlanCase plan) {
        this.plan = plan;
        this.vms = plan.vmsByName();
    }

    /**
     * {@code planned} with as few moves of others as it can do with, each VM moved once, and checked.
     *
     * @return empty when it breaks something, or cannot do without moving a VM twice
     */
    static Optional<BatchPlan> fewest(PlanCase plan, BatchPlan planned) {
        ExtraMoves extra = new ExtraMoves(plan);
        Map<String, ScheduledMove> once = new LinkedHashMap<>();
        planned.moves().forEach(move -> once.putIfAbsent(move.vm(), move));
        List<ScheduledMove> moves = new ArrayList<>(once.values());
        Optional<ScheduledMove> needless = extra.needless(moves);
        while (needless.isPresent()) {
            moves.remove(needless.get());
            needless = extra.needless(moves);
        }
        BatchPlan result = new BatchPlan(moves, planned.unmoved(), planned.makespanMs(), planned.lowerBoundMs());
        return PlanChecker.check(plan, result).isEmpty() ? Optional.of(result) : Optional.empty();
    }

    /** For each VM that makes room: those that go where it is and would not all fit there with what was there before. */
    static Map<String, List<String>> beneficiaries(PlanCase plan, List<ScheduledMove> moves) {
        ExtraMoves extra = new ExtraMoves(plan);
        Map<String, List<String>> beneficiaries = new HashMap<>();
        Map<String, List<String>> crowding = new HashMap<>();
        for (ScheduledMove move : moves) {
            if (extra.isExtra(move)) {
                beneficiaries.put(
                        move.vm(), crowding.computeIfAbsent(move.from(), host -> extra.crowding(host, moves)));
            }
        }
        return beneficiaries;
    }

    private boolean isExtra(ScheduledMove move) {
        return !plan.drained().contains(move.from());
    }

    private Map<String, Long> demand(String vm) {
        PlanVm who = vms.get(vm);
        return who == null ? Map.of() : who.demand();
    }

    /** What is left on {@code host} with all that are there now. */
    private Map<String, Long> free(String host) {
        Map<String, Long> free = new HashMap<>();
        plan.hosts().stream().filter(each -> each.name().equals(host)).forEach(each -> free.putAll(each.capacity()));
        for (PlanVm vm : plan.vms()) {
            if (vm.host().equals(host)) {
                vm.demand().forEach((resource, amount) -> free.merge(resource, -amount, Long::sum));
            }
        }
        return free;
    }

    /** Arrivals that do not fit beside those that are there and those that came before and did. */
    private List<String> crowding(String host, List<ScheduledMove> moves) {
        Map<String, Long> free = free(host);
        List<String> crowding = new ArrayList<>();
        for (ScheduledMove move : moves) {
            if (move.to().equals(host)) {
                Map<String, Long> demand = demand(move.vm());
                if (demand.entrySet().stream()
                        .allMatch(need -> free.getOrDefault(need.getKey(), 0L) >= need.getValue())) {
                    demand.forEach((resource, amount) -> free.merge(resource, -amount, Long::sum));
                } else {
                    crowding.add(move.vm());
                }
            }
        }
        return crowding;
    }

    /** A move without which all others fit just as well. */
    private Optional<ScheduledMove> needless(List<ScheduledMove> moves) {
        Map<String, Map<String, Long>> left = new HashMap<>();
        Set<String> arrives = new HashSet<>();
        moves.forEach(move -> arrives.add(move.to()));
        for (ScheduledMove move : moves) {
            if (!isExtra(move)) {
                continue;
            }
            if (!arrives.contains(move.from())) {
                return Optional.of(move);
            }
            Map<String, Long> atEnd = left.computeIfAbsent(move.from(), host -> atEnd(host, moves));
            boolean fits = demand(move.vm()).entrySet().stream()
                    .allMatch(need -> atEnd.getOrDefault(need.getKey(), 0L) >= need.getValue());
            if (fits) {
                return Optional.of(move);
            }
        }
        return Optional.empty();
    }

    /** What is left on {@code host} when all {@code moves} are done. */
    private Map<String, Long> atEnd(String host, List<ScheduledMove> moves) {
        Map<String, Long> free = free(host);
        for (ScheduledMove move : moves) {
            if (move.to().equals(host)) {
                demand(move.vm()).forEach((resource, amount) -> free.merge(resource, -amount, Long::sum));
            } else if (move.from().equals(host)) {
                demand(move.vm()).forEach((resource, amount) -> free.merge(resource, amount, Long::sum));
            }
        }
        return free;
    }
}
