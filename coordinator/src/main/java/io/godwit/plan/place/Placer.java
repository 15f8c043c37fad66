package io.godwit.plan.place;

import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.SlotNeed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds destinations: those given first, then for every VM of the drained hosts, the hardest to place first, the host where it costs
 * least: little time behind others on the same port, and a host not filled more than the rest. Where none has room, VMs that need not
 * move are moved out of the way, as few as possible.
 */
public final class Placer {
    /** What breaking a rule that may be broken costs: more than any imbalance, less than a VM that stays. */
    private static final double REGRET = 10;

    private final PlanCase plan;
    private final Rooms rooms;
    private final Map<String, PlanVm> vms;
    private final Map<String, List<String>> together = new HashMap<>();
    final Map<String, String> moved = new LinkedHashMap<>();
    final List<Unmoved> unmoved = new ArrayList<>();
    private double scaleMs = 1;
    private boolean makingRoom;
    private long roomLooks;

    private Placer(PlanCase plan) {
        this.plan = plan;
        vms = plan.vmsByName();
        rooms = new Rooms(plan);
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Together(var group, var hard) && hard) {
                // groups that share a VM are one
                Set<String> all = new LinkedHashSet<>(group);
                group.forEach(vm -> all.addAll(together.getOrDefault(vm, List.of())));
                List<String> joined = List.copyOf(all);
                joined.forEach(vm -> together.put(vm, joined));
            }
        }
    }

    /** Destinations for all that {@code plan} wants moved. */
    public static Placed place(PlanCase plan) {
        return new Placer(plan).run();
    }

    private Placed run() {
        given();
        Map<String, Double> weights = new HashMap<>();
        double[] most = new double[rooms.resources.size()];
        double[] having = new double[most.length];
        for (int at = 0; at < rooms.capacity.length; at++) {
            most[at % most.length] = Math.max(most[at % most.length], (double) rooms.capacity[at]);
            having[at % most.length] += rooms.capacity[at] > 0 ? 1 : 0;
        }
        List<PlanVm> movers = new ArrayList<>();
        for (PlanVm vm : plan.vms()) {
            if (plan.drained().contains(vm.host()) && !plan.destinations().containsKey(vm.name())) {
                movers.add(vm);
                weights.put(vm.name(), weight(vm, most, having));
            }
        }
        movers.sort(Comparator.comparingInt((PlanVm vm) -> -vm.priority())
                .thenComparingDouble(vm -> -weights.getOrDefault(vm.name(), 0.0))
                .thenComparing(PlanVm::name));
        Map<String, Double> work = new HashMap<>();
        for (PlanVm vm : movers) {
            int at = rooms.at(vm.host());
            work.merge(vm.host(), (double) rooms.loads.durationMs(vm, at, at), Double::sum);
        }
        scaleMs = Math.max(
                1, work.values().stream().mapToDouble(Double::doubleValue).max().orElse(1));
        for (PlanVm vm : movers) {
            if (!moved.containsKey(vm.name())) {
                free(vm);
            }
        }
        if (together.isEmpty()) {
            new Repack(rooms, this).improve(movers);
        }
        List<Move> moves = new ArrayList<>();
        moved.forEach((vm, to) -> {
            PlanVm who = vms.get(vm);
            if (who != null) {
                moves.add(new Move(vm, who.host(), to, rooms.slotsOf(who)));
            }
        });
        return new Placed(moves, unmoved);
    }

    /** Hosts that have room for a VM which has been taken out, the cheapest first. */
    List<Integer> candidates(PlanVm vm) {
        int from = rooms.at(vm.host());
        long[] need = rooms.need(vm);
        rooms.loads.look(vm, from);
        List<Integer> hosts = new ArrayList<>();
        double[] costs = new double[rooms.hosts.length];
        for (int h = 0; h < rooms.hosts.length; h++) {
            if (rooms.open[h] && rooms.fits(vm, need, h) && rooms.allowed(vm, from, h)) {
                hosts.add(h);
                costs[h] = cost(vm, need, h);
            }
        }
        hosts.sort(Comparator.comparingDouble((Integer h) -> costs[h]).thenComparingInt(h -> h));
        return hosts;
    }

    /** Puts a VM that has been taken out to a new host. */
    void settle(PlanVm vm, int h) {
        rooms.put(vm, h);
        rooms.loads.add(vm, rooms.at(vm.host()), h, 1);
        moved.put(vm.name(), rooms.hosts[h].name());
    }

    /** Takes back what {@link #settle(PlanVm, int)} did. */
    void unsettle(PlanVm vm, int h) {
        rooms.remove(vm, h);
        rooms.loads.add(vm, rooms.at(vm.host()), h, -1);
        moved.remove(vm.name());
    }

    /** Those on a host that may be moved away for another, the smallest first. */
    List<PlanVm> movable(int h) {
        List<PlanVm> movable = new ArrayList<>();
        for (PlanVm vm : rooms.held.get(h)) {
            if (vm.immovable().isEmpty()
                    && !hasMoved(vm)
                    && !plan.destinations().containsKey(vm.name())
                    && !bound(vm)) {
                movable.add(vm);
            }
        }
        movable.sort(
                Comparator.comparingDouble((PlanVm vm) -> vm.ram().usedMb()).thenComparing(PlanVm::name));
        return movable;
    }

    /** How hard a VM is to place: the largest share of any host's resource, and a little more the fewer hosts have it. */
    private double weight(PlanVm vm, double[] most, double[] having) {
        double weight = vm.onlyHosts().isEmpty() ? 0 : 1.0 / vm.onlyHosts().size();
        long[] need = rooms.need(vm);
        int hosts = Math.max(1, rooms.hosts.length);
        for (int r = 0; r < need.length; r++) {
            if (need[r] > 0) {
                weight = Math.max(weight, need[r] / Math.max(1, most[r]) + 1 - having[r] / hosts);
            }
        }
        // whole devices before parts of them, many before few
        for (SlotNeed wanted : vm.slots().values()) {
            weight += 1 + wanted.count() + wanted.amount() * 1e-6;
        }
        return weight;
    }

    private void given() {
        for (Move move : plan.givenMoves()) {
            PlanVm vm = vms.get(move.vm());
            if (vm == null) {
                continue;
            }
            int to = rooms.at(move.to());
            Unmoved no = Obstacles.given(rooms, vm, to);
            if (no != null) {
                unmoved.add(no);
            } else {
                rooms.remove(vm, rooms.at(vm.host()));
                rooms.put(vm, to);
                rooms.loads.add(vm, rooms.at(vm.host()), to, 1);
                moved.put(vm.name(), move.to());
            }
        }
    }

    private void free(PlanVm vm) {
        if (!vm.immovable().isEmpty()) {
            unmoved.add(new Unmoved(vm.name(), vm.immovable(), "a cold move, or taking away what pins it"));
            return;
        }
        List<PlanVm> group = group(vm);
        if (group.size() > 1) {
            together(group);
        } else if (!settle(vm) && !makeRoom(vm)) {
            unmoved.add(Obstacles.explain(rooms, vm));
        }
    }

    private boolean makeRoom(PlanVm vm) {
        makingRoom = true;
        boolean made = new MakeRoom(rooms, this).settle(vm);
        makingRoom = false;
        return made;
    }

    private List<PlanVm> group(PlanVm vm) {
        List<PlanVm> group = new ArrayList<>();
        together.getOrDefault(vm.name(), List.of(vm.name())).forEach(name -> {
            PlanVm each = vms.get(name);
            if (each != null) {
                group.add(each);
            }
        });
        return group;
    }

    /** All of a group to one host: where those are that may stay, else anywhere. */
    private void together(List<PlanVm> group) {
        for (int h = 0; h < rooms.hosts.length; h++) {
            int host = h;
            List<PlanVm> movers =
                    group.stream().filter(vm -> rooms.where(vm) != host).toList();
            boolean stay = group.stream()
                    .filter(vm -> !plan.drained().contains(vm.host()))
                    .allMatch(vm -> rooms.where(vm) == host);
            List<PlanVm> done = new ArrayList<>();
            for (PlanVm vm : movers) {
                if (!stay
                        || !vm.immovable().isEmpty()
                        || !rooms.allowed(vm, rooms.at(vm.host()), h)
                        || !rooms.fits(vm, h)) {
                    break;
                }
                rooms.remove(vm, rooms.at(vm.host()));
                rooms.put(vm, h);
                done.add(vm);
            }
            if (done.size() == movers.size() && !movers.isEmpty()) {
                done.forEach(vm -> moved.put(vm.name(), rooms.hosts[host].name()));
                return;
            }
            done.forEach(vm -> {
                rooms.remove(vm, host);
                rooms.put(vm, rooms.at(vm.host()));
            });
        }
        List<String> names = group.stream().map(PlanVm::name).toList();
        group.stream().filter(vm -> plan.drained().contains(vm.host())).forEach(vm -> {
            moved.put(vm.name(), vm.host());
            unmoved.add(new Unmoved(
                    vm.name(),
                    "no host takes all of " + String.join(", ", names) + ", which must be together",
                    "lifting that rule, or one more host with room for all of them"));
        });
        group.forEach(vm -> moved.remove(vm.name()));
    }

    /** Puts a VM where it costs least; false when nothing has room. */
    boolean settle(PlanVm vm) {
        int from = rooms.where(vm);
        int to = cheapest(vm, from);
        if (to >= 0) {
            move(vm, from, to);
        }
        return to >= 0;
    }

    void move(PlanVm vm, int from, int to) {
        rooms.remove(vm, from);
        rooms.put(vm, to);
        rooms.loads.add(vm, from, to, 1);
        moved.put(vm.name(), rooms.hosts[to].name());
    }

    /** Takes back what {@link #move} did. */
    void undo(PlanVm vm, int from, int to) {
        rooms.remove(vm, to);
        rooms.put(vm, from);
        rooms.loads.add(vm, from, to, -1);
        moved.remove(vm.name());
    }

    /** Looks at hosts so far in making room. */
    long roomLooks() {
        return roomLooks;
    }

    boolean hasMoved(PlanVm vm) {
        return moved.containsKey(vm.name());
    }

    /** Whether a VM must be on one host with others. */
    boolean bound(PlanVm vm) {
        return together.containsKey(vm.name());
    }

    private int cheapest(PlanVm vm, int from) {
        int best = -1;
        double least = Double.MAX_VALUE;
        long[] need = rooms.need(vm);
        rooms.loads.look(vm, from);
        roomLooks += makingRoom ? rooms.hosts.length : 0;
        for (int h = 0; h < rooms.hosts.length; h++) {
            if (!rooms.open[h] || !rooms.fits(vm, need, h) || !rooms.allowed(vm, from, h)) {
                continue;
            }
            double cost = cost(vm, need, h);
            if (cost < least) {
                least = cost;
                best = h;
            }
        }
        return best;
    }

    private double cost(PlanVm vm, long[] need, int h) {
        double fullest = 0;
        double scarce = 0;
        for (int r = 0; r < need.length; r++) {
            long has = rooms.capacity[h * need.length + r];
            if (has > 0) {
                if (need[r] > 0) {
                    fullest = Math.max(fullest, 1 - (double) (rooms.free[h * need.length + r] - need[r]) / has);
                } else {
                    // a host whose devices it does not need is better left to those that do
                    scarce += 0.5;
                }
            }
        }
        scarce += vm.slots().isEmpty() ? 0.5 * rooms.hosts[h].pools().size() : 0;
        return (rooms.loads.endMs(vm, h) + rooms.hosts[h].bootMs()) / scaleMs
                + fullest
                + scarce
                + REGRET * rooms.company.regrets(vm, h);
    }
}
