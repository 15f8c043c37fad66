package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.Paths;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The fleet while the plan runs: who is where, who takes what. */
final class Replay {
    private final Map<String, PlanHost> hosts;
    private final Map<String, PlanVm> vms;
    private final PlanChecker.Report report;
    private final Paths paths;
    /** Where each VM is: one host, or two while it moves. */
    private final Map<String, Set<String>> places = new HashMap<>();

    private final Map<String, Map<String, Long>> used = new HashMap<>();
    private final Map<String, Integer> leaving = new HashMap<>();
    private final Map<String, Integer> coming = new HashMap<>();
    private final Map<Integer, Long> carried = new HashMap<>();
    private final Map<String, List<Rule.Apart>> apart = new HashMap<>();
    private final Map<ScheduledMove, Long> current = new HashMap<>();
    private final SlotReplay slots;
    private final ReserveReplay reserves;

    Replay(PlanCase plan, Map<String, PlanHost> hosts, Map<String, PlanVm> vms, PlanChecker.Report report) {
        this.hosts = hosts;
        this.vms = vms;
        this.report = report;
        paths = new Paths(plan.network());
        slots = new SlotReplay(plan, hosts, report);
        reserves = new ReserveReplay(plan, hosts, report);
        for (PlanVm vm : plan.vms()) {
            places.put(vm.name(), new HashSet<>(Set.of(vm.host())));
            take(vm, vm.host(), 1);
        }
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Apart group && group.hard()) {
                group.vms()
                        .forEach(vm -> apart.computeIfAbsent(vm, _ -> new ArrayList<>())
                                .add(group));
            }
        }
    }

    /** Where each VM is now. */
    Map<String, Set<String>> places() {
        return places;
    }

    private void take(PlanVm vm, String host, int sign) {
        Map<String, Long> of = used.computeIfAbsent(host, _ -> new TreeMap<>());
        vm.demand().forEach((resource, amount) -> of.merge(resource, sign * amount, Long::sum));
    }

    private record Change(ScheduledMove move, Share share) {}

    void run(List<ScheduledMove> moves) {
        TreeMap<Long, List<ScheduledMove>> starts = new TreeMap<>();
        TreeMap<Long, List<ScheduledMove>> ends = new TreeMap<>();
        TreeMap<Long, List<Change>> changes = new TreeMap<>();
        TreeSet<Long> instants = new TreeSet<>();
        for (ScheduledMove move : moves) {
            starts.computeIfAbsent(move.startMs(), _ -> new ArrayList<>()).add(move);
            ends.computeIfAbsent(Math.max(move.endMs(), move.startMs() + 1), _ -> new ArrayList<>())
                    .add(move);
            instants.add(move.startMs());
            instants.add(Math.max(move.endMs(), move.startMs() + 1));
            for (Share share : move.shares()) {
                if (share.fromMs() > move.startMs() && share.fromMs() < move.endMs()) {
                    changes.computeIfAbsent(share.fromMs(), _ -> new ArrayList<>())
                            .add(new Change(move, share));
                    instants.add(share.fromMs());
                }
            }
        }
        for (long now : instants) {
            ends.getOrDefault(now, List.of()).forEach(this::end);
            Set<Integer> channels = new TreeSet<>();
            changes.getOrDefault(now, List.of())
                    .forEach(change -> carry(change.move(), change.share().mbitPerSecond(), channels));
            List<ScheduledMove> starting = starts.getOrDefault(now, List.of());
            starting.forEach(move -> start(now, move, channels));
            starting.forEach(move -> look(now, move));
            channels.forEach(channel -> {
                long all = carried.getOrDefault(channel, 0L);
                if (all > paths.capacity(channel)) {
                    report.broken(
                            now,
                            Kind.LINK,
                            paths.name(channel) + " carries " + all + " of " + paths.capacity(channel) + " Mbit/s");
                }
            });
        }
    }

    private void carry(ScheduledMove move, long mbit, Set<Integer> channels) {
        long before = current.getOrDefault(move, 0L);
        current.put(move, mbit);
        try {
            for (int channel : paths.between(move.from(), move.to())) {
                carried.merge(channel, mbit - before, Long::sum);
                channels.add(channel);
            }
        } catch (IllegalArgumentException e) {
            report.broken(move.startMs(), Kind.LINK, String.valueOf(e.getMessage()));
        }
    }

    private void start(long now, ScheduledMove move, Set<Integer> channels) {
        PlanVm vm = vms.get(move.vm());
        Set<String> at = places.computeIfAbsent(move.vm(), _ -> new HashSet<>());
        if (vm == null) {
            return;
        }
        if (!at.equals(Set.of(move.from())) || move.to().equals(move.from())) {
            report.broken(
                    now,
                    Kind.PLACE,
                    "vm '" + move.vm() + "' starts from '" + move.from() + "' to '" + move.to() + "', but is on " + at);
        }
        at.add(move.to());
        take(vm, move.to(), 1);
        slots.start(now, vm, move);
        reserves.start(vm, move);
        leaving.merge(move.from(), 1, Integer::sum);
        coming.merge(move.to(), 1, Integer::sum);
        carry(move, move.shares().isEmpty() ? 0 : move.shares().getFirst().mbitPerSecond(), channels);
    }

    private void end(ScheduledMove move) {
        PlanVm vm = vms.get(move.vm());
        Set<String> at = places.computeIfAbsent(move.vm(), _ -> new HashSet<>());
        if (vm == null) {
            return;
        }
        at.remove(move.from());
        take(vm, move.from(), -1);
        slots.end(vm, move);
        reserves.end(vm, move);
        leaving.merge(move.from(), -1, Integer::sum);
        coming.merge(move.to(), -1, Integer::sum);
        carry(move, 0, new HashSet<>());
    }

    /** What a start may have broken, once all that starts at this instant has. */
    private void look(long now, ScheduledMove move) {
        PlanHost from = hosts.get(move.from());
        PlanHost to = hosts.get(move.to());
        PlanVm vm = vms.get(move.vm());
        if (from == null || to == null || vm == null) {
            return;
        }
        for (String resource : vm.demand().keySet()) {
            long taken = used.getOrDefault(to.name(), Map.of()).getOrDefault(resource, 0L);
            long has = to.capacity().getOrDefault(resource, 0L);
            if (taken > has && vm.demand().getOrDefault(resource, 0L) > 0) {
                report.broken(
                        now,
                        Kind.CAPACITY,
                        "host '" + to.name() + "' gives out " + taken + " " + resource + " of " + has);
            }
        }
        slots.look(now, vm, move);
        reserves.look(now, vm, to);
        if (leaving.getOrDefault(from.name(), 0) > from.maxOutgoing()) {
            report.broken(
                    now,
                    Kind.LIMIT,
                    leaving.get(from.name()) + " leave '" + from.name() + "' at once; it allows " + from.maxOutgoing());
        }
        if (coming.getOrDefault(to.name(), 0) > to.maxIncoming()) {
            report.broken(
                    now,
                    Kind.LIMIT,
                    coming.get(to.name()) + " come to '" + to.name() + "' at once; it allows " + to.maxIncoming());
        }
        for (Rule.Apart group : apart.getOrDefault(move.vm(), List.of())) {
            for (String other : group.vms()) {
                if (!other.equals(move.vm())
                        && places.getOrDefault(other, Set.of()).contains(to.name())) {
                    report.broken(
                            now,
                            Kind.RULE,
                            "vms '" + move.vm() + "' and '" + other + "' are to be kept apart and are both on '"
                                    + to.name() + "'");
                }
            }
        }
    }
}
