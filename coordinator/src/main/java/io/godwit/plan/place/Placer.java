package io.godwit.plan.place;

import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.Move;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds destinations: those given first, then for every VM of the drained hosts, the hardest to place first, the host where it costs
 * least: little time behind others on the same port, and a host not filled more than the rest. Where none has room, VMs that need not
 * move are moved out of the way, as few as possible.
 */
public final class Placer {
    private final PlanCase plan;
    private final Rooms rooms;
    private final Map<String, PlanVm> vms;
    private final Map<String, List<String>> together = new HashMap<>();
    private final Map<String, String> moved = new LinkedHashMap<>();
    private final List<Unmoved> unmoved = new ArrayList<>();
    private double scaleMs = 1;

    private Placer(PlanCase plan) {
        this.plan = plan;
        vms = plan.vmsByName();
        rooms = new Rooms(plan);
        for (Rule rule : plan.rules()) {
            if (rule instanceof Rule.Together(var group, var hard) && hard) {
                group.forEach(vm ->
                        together.computeIfAbsent(vm, _ -> new ArrayList<>()).addAll(group));
            }
        }
    }

    /** Destinations for all that {@code plan} wants moved. */
    public static Placed place(PlanCase plan) {
        return new Placer(plan).run();
    }

    private Placed run() {
        given();
        List<PlanVm> movers = plan.vms().stream()
                .filter(vm -> plan.drained().contains(vm.host())
                        && !plan.destinations().containsKey(vm.name()))
                .sorted(Comparator.comparingInt((PlanVm vm) -> -vm.priority())
                        .thenComparingDouble(vm -> -weight(vm))
                        .thenComparing(PlanVm::name))
                .toList();
        Map<String, Double> work = new HashMap<>();
        for (PlanVm vm : movers) {
            int at = rooms.at(vm.host());
            work.merge(vm.host(), (double) rooms.durationMs(vm, at, at), Double::sum);
        }
        scaleMs = Math.max(
                1, work.values().stream().mapToDouble(Double::doubleValue).max().orElse(1));
        for (PlanVm vm : movers) {
            if (!moved.containsKey(vm.name())) {
                free(vm);
            }
        }
        List<Move> moves = new ArrayList<>();
        moved.forEach((vm, to) -> {
            PlanVm who = vms.get(vm);
            if (who != null) {
                moves.add(new Move(vm, who.host(), to));
            }
        });
        return new Placed(moves, unmoved);
    }

    /** How hard a VM is to place: the largest share of any host's resource, and a little more the fewer hosts have it. */
    private double weight(PlanVm vm) {
        double weight = vm.onlyHosts().isEmpty() ? 0 : 1.0 / vm.onlyHosts().size();
        long[] need = rooms.need(vm);
        for (int r = 0; r < need.length; r++) {
            if (need[r] > 0) {
                long most = 1;
                int having = 0;
                for (int h = 0; h < rooms.hosts.length; h++) {
                    long has = rooms.capacity[h * need.length + r];
                    most = Math.max(most, has);
                    having += has > 0 ? 1 : 0;
                }
                weight = Math.max(
                        weight, (double) need[r] / most + 1 - (double) having / Math.max(1, rooms.hosts.length));
            }
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
                rooms.incomingMs[to] += rooms.durationMs(vm, rooms.at(vm.host()), to);
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
        } else if (!settle(vm) && !new MakeRoom(rooms, this).settle(vm)) {
            unmoved.add(Obstacles.explain(rooms, vm));
        }
    }

    private List<PlanVm> group(PlanVm vm) {
        List<PlanVm> group = new ArrayList<>();
        together.getOrDefault(vm.name(), List.of(vm.name())).stream().distinct().forEach(name -> {
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
        rooms.incomingMs[to] += rooms.durationMs(vm, from, to);
        moved.put(vm.name(), rooms.hosts[to].name());
    }

    /** Takes back what {@link #move} did. */
    void undo(PlanVm vm, int from, int to) {
        rooms.remove(vm, to);
        rooms.put(vm, from);
        rooms.incomingMs[to] -= rooms.durationMs(vm, from, to);
        moved.remove(vm.name());
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
        for (int h = 0; h < rooms.hosts.length; h++) {
            if (!rooms.fits(vm, h) || !rooms.allowed(vm, from, h)) {
                continue;
            }
            double cost = cost(vm, from, h);
            if (cost < least) {
                least = cost;
                best = h;
            }
        }
        return best;
    }

    private double cost(PlanVm vm, int from, int h) {
        long[] need = rooms.need(vm);
        double fullest = 0;
        for (int r = 0; r < need.length; r++) {
            long has = rooms.capacity[h * need.length + r];
            if (need[r] > 0 && has > 0) {
                fullest = Math.max(fullest, 1 - (double) (rooms.free[h * need.length + r] - need[r]) / has);
            }
        }
        double scarce = 0;
        for (int r = 0; r < need.length; r++) {
            // a host whose devices it does not need is better left to those that do
            if (need[r] == 0 && rooms.capacity[h * need.length + r] > 0) {
                scarce += 0.5;
            }
        }
        double boot = rooms.hosts[h].bootMs() / scaleMs;
        return (rooms.incomingMs[h] + rooms.durationMs(vm, from, h)) / scaleMs + boot + fullest + scarce;
    }
}
