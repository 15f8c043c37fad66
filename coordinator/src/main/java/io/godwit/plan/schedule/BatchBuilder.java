package io.godwit.plan.schedule;

import io.godwit.plan.model.HeldSlots;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.Paths;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Reserves;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.model.TransferModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** Turns a case and its moves into a {@link MoveBatch}. Counters are made only where some move takes from them. */
final class BatchBuilder {
    /** With no network modelled a migration gets this, Mbit/s: one 10 Gbit/s port. */
    private static final long UNMODELLED_MBIT = 10_000;

    final List<Move> moves;
    final long[] channelMbit;
    final Ranges paths = new Ranges();
    final Ranges takes = new Ranges();
    final Ranges gives = new Ranges();
    final Ranges followers = new Ranges();
    final Ranges counterFree = new Ranges();
    final List<RamProfile> rams = new ArrayList<>();
    final long[] budgetMs;
    final long[] readyMs;
    final long[] tailMs;
    final TransferModel transfer;
    final long unmodelledMbit = UNMODELLED_MBIT;
    long floorMs;

    private final PlanCase plan;
    private final Map<String, PlanHost> hosts;
    private final Map<String, PlanVm> vms;
    private final Map<String, Integer> counters = new HashMap<>();
    private final Map<String, Long> used = new HashMap<>();
    private final Map<String, List<Integer>> apart = new HashMap<>();
    private final List<Reserves.Limit> limits;
    /** Which slots a VM has at the moves' start, by VM; then at the end of its latest move so far. */
    private final Map<String, Map<String, List<Integer>>> slotsNow;

    private BatchBuilder(PlanCase plan, List<Move> moves) {
        this.plan = plan;
        this.moves = moves;
        hosts = plan.hostsByName();
        vms = plan.vmsByName();
        transfer = plan.transfer();
        readyMs = new long[moves.size()];
        tailMs = new long[moves.size()];
        budgetMs = new long[moves.size()];
        Paths routing = new Paths(plan.network());
        channelMbit = new long[routing.channels()];
        for (int c = 0; c < channelMbit.length; c++) {
            channelMbit[c] = routing.capacity(c);
        }
        for (PlanVm vm : plan.vms()) {
            vm.demand().forEach((resource, amount) -> used.merge(key(vm.host(), resource), amount, Long::sum));
        }
        limits = Reserves.of(plan);
        slotsNow = new HashMap<>(HeldSlots.initially(plan));
        slotsNow.forEach((name, slots) -> {
            PlanVm vm = vm(name);
            eachSlot(vm, slots, (what, amount) -> used.merge(key(vm.host(), what), amount, Long::sum));
        });
        List<Rule> rules = plan.rules();
        for (int r = 0; r < rules.size(); r++) {
            if (rules.get(r) instanceof Rule.Apart(var names, var hard) && hard) {
                for (String name : names) {
                    apart.computeIfAbsent(name, _ -> new ArrayList<>()).add(r);
                    PlanVm vm = vm(name);
                    used.merge(key(vm.host(), "rule " + r), 1L, Long::sum);
                }
            }
        }
        moves.forEach(this::counters);
        for (int m = 0; m < moves.size(); m++) {
            add(m, routing);
        }
        order();
        floors();
    }

    static MoveBatch build(PlanCase plan, List<Move> moves) {
        return new MoveBatch(new BatchBuilder(plan, moves));
    }

    private PlanVm vm(String name) {
        PlanVm vm = vms.get(name);
        if (vm == null) {
            throw new IllegalArgumentException("vm '" + name + "' is not in the fleet");
        }
        return vm;
    }

    private PlanHost host(String name) {
        PlanHost host = hosts.get(name);
        if (host == null) {
            throw new IllegalArgumentException("host '" + name + "' is not in the fleet");
        }
        return host;
    }

    private static String key(String host, String what) {
        return host + "\0" + what;
    }

    /** Calls for each slot with the name of its counter and what the VM takes of it. */
    private static void eachSlot(PlanVm vm, Map<String, List<Integer>> slots, BiConsumer<String, Long> action) {
        new TreeMap<>(slots).forEach((pool, numbers) -> {
            SlotNeed need = vm.slots().get(pool);
            if (need != null) {
                numbers.forEach(number -> action.accept("slot " + pool + " " + number, need.amount()));
            }
        });
    }

    /** The reserves that count what goes to or leaves a host. */
    private void eachLimit(PlanVm vm, PlanHost host, BiConsumer<Integer, Long> action) {
        for (int l = 0; l < limits.size(); l++) {
            long amount = vm.demand().getOrDefault(limits.get(l).resource(), 0L);
            if (amount > 0 && limits.get(l).covers(host) && !plan.drained().contains(host.name())) {
                action.accept(l, amount);
            }
        }
    }

    private void counters(Move move) {
        PlanHost to = host(move.to());
        for (String resource : vm(move.vm()).demand().keySet()) {
            counter(move.to(), resource, to.capacity().getOrDefault(resource, 0L));
        }
        for (int rule : apart.getOrDefault(move.vm(), List.of())) {
            counter(move.to(), "rule " + rule, 1);
        }
        move.slots()
                .forEach((pool, numbers) -> numbers.forEach(number -> {
                    List<Long> slots = to.pools().getOrDefault(pool, List.of());
                    counter(
                            move.to(),
                            "slot " + pool + " " + number,
                            number >= 0 && number < slots.size() ? slots.get(number) : 0);
                }));
        eachLimit(
                vm(move.vm()),
                to,
                (l, _) -> counters.computeIfAbsent(key("", "limit " + l), _ -> {
                    counterFree.add(0, limits.get(l).most() - limits.get(l).taken());
                    return counters.size();
                }));
        if (to.maxIncoming() != PlanHost.UNLIMITED) {
            counter(move.to(), "in", to.maxIncoming());
        }
        if (host(move.from()).maxOutgoing() != PlanHost.UNLIMITED) {
            counter(move.from(), "out", host(move.from()).maxOutgoing());
        }
    }

    private void counter(String host, String what, long capacity) {
        counters.computeIfAbsent(key(host, what), key -> {
            counterFree.add(0, capacity - used.getOrDefault(key, 0L));
            return counters.size();
        });
    }

    private void add(int m, Paths routing) {
        Move move = moves.get(m);
        PlanVm vm = vm(move.vm());
        rams.add(vm.ram());
        budgetMs[m] = vm.blackoutBudgetMs();
        for (int channel : routing.between(move.from(), move.to())) {
            if (channelMbit[channel] != Network.UNLIMITED) {
                paths.add(channel, 0);
            }
        }
        paths.endOfList();
        new TreeMap<>(vm.demand()).forEach((resource, amount) -> {
            take(move.to(), resource, amount);
            give(move.from(), resource, amount);
        });
        for (int rule : apart.getOrDefault(move.vm(), List.of())) {
            take(move.to(), "rule " + rule, 1);
            give(move.from(), "rule " + rule, 1);
        }
        eachSlot(vm, move.slots(), (what, amount) -> take(move.to(), what, amount));
        eachSlot(vm, slotsNow.getOrDefault(vm.name(), Map.of()), (what, amount) -> give(move.from(), what, amount));
        if (!vm.slots().isEmpty()) {
            slotsNow.put(vm.name(), move.slots());
        }
        eachLimit(vm, host(move.to()), (l, amount) -> take("", "limit " + l, amount));
        eachLimit(vm, host(move.from()), (l, amount) -> give("", "limit " + l, amount));
        take(move.to(), "in", 1);
        give(move.to(), "in", 1);
        take(move.from(), "out", 1);
        give(move.from(), "out", 1);
        takes.endOfList();
        gives.endOfList();
        readyMs[m] = host(move.to()).bootMs();
        tailMs[m] = host(move.from()).powerOffMs();
    }

    private void take(String host, String what, long amount) {
        Integer counter = counters.get(key(host, what));
        if (counter != null && amount > 0) {
            takes.add(counter, amount);
        }
    }

    private void give(String host, String what, long amount) {
        Integer counter = counters.get(key(host, what));
        if (counter != null && amount > 0) {
            gives.add(counter, amount);
        }
    }

    /** Moves of one VM are in the order given; then the rules. */
    private void order() {
        Map<String, Integer> last = new HashMap<>();
        Map<String, Integer> first = new HashMap<>();
        List<Set<Integer>> after = new ArrayList<>();
        for (int m = 0; m < moves.size(); m++) {
            after.add(new HashSet<>());
            Integer previous = last.put(moves.get(m).vm(), m);
            first.putIfAbsent(moves.get(m).vm(), m);
            if (previous != null) {
                after.get(previous).add(m);
            }
        }
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Before(var before, var then)) {
                Integer from = last.get(before);
                Integer to = first.get(then);
                if (from != null && to != null) {
                    after.get(from).add(to);
                }
            }
        }
        after.forEach(list -> {
            list.stream().sorted().forEach(follower -> followers.add(follower, 0));
            followers.endOfList();
        });
    }

    private void floors() {
        Set<String> busy = new HashSet<>();
        moves.forEach(move -> busy.add(move.from()));
        for (PlanHost host : plan.hosts()) {
            if (!busy.contains(host.name())) {
                floorMs = Math.max(floorMs, host.powerOffMs());
            }
        }
        moves.forEach(move -> floorMs = Math.max(floorMs, host(move.to()).bootMs()));
    }
}
