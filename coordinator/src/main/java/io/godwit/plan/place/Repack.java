package io.godwit.plan.place;

import io.godwit.plan.model.PlanVm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where placing one VM after the other has left some behind, or has moved others to make room: a search over all of them together, with
 * as few others moved as will do. Complete on small fleets, as far as its patience goes on others. A VM that waits for its place takes
 * no room.
 */
final class Repack {
    /** Looks at hosts, for each number of others to be moved: about 10 ms. */
    private static final long PATIENCE = 200_000;

    /** More others than this are not moved: the search would not come to an end. */
    private static final int MOST_OTHERS = 6;

    /** More VMs than this are not searched over: one step of the search is one call. */
    private static final int MOST_MOVERS = 400;

    private final Rooms rooms;
    private final Placer placer;
    private long looks;

    Repack(Rooms rooms, Placer placer) {
        this.rooms = rooms;
        this.placer = placer;
    }

    private record Was(PlanVm vm, int h, Map<String, List<Integer>> slots) {}

    /** Finds better places for {@code movers} where some were left behind or others had to move; else leaves all as it is. */
    void improve(List<PlanVm> movers) {
        List<PlanVm> possible = movers.stream()
                .filter(vm -> placer.hasMoved(vm) || possible(vm))
                .toList();
        Set<String> left = new HashSet<>();
        placer.unmoved.forEach(each -> left.add(each.vm()));
        boolean behind = possible.stream().anyMatch(vm -> left.contains(vm.name()));
        List<Was> before = new ArrayList<>();
        int others = 0;
        for (PlanVm vm : rooms.plan.vms()) {
            if (placer.hasMoved(vm) && !rooms.plan.destinations().containsKey(vm.name())) {
                before.add(new Was(vm, rooms.where(vm), rooms.slotsOf(vm)));
                others += rooms.plan.drained().contains(vm.host()) ? 0 : 1;
            }
        }
        if (possible.size() > MOST_MOVERS || !behind && others == 0) {
            return;
        }
        before.forEach(was -> placer.undo(was.vm(), rooms.at(was.vm().host()), was.h()));
        if (enough(possible) && place(possible, behind ? MOST_OTHERS : others - 1)) {
            placer.unmoved.removeIf(each -> placer.moved.containsKey(each.vm()));
            return;
        }
        for (Was was : before) {
            int home = rooms.at(was.vm().host());
            rooms.remove(was.vm(), home);
            rooms.put(was.vm(), was.h(), was.slots());
            rooms.loads.add(was.vm(), home, was.h(), 1);
            placer.moved.put(was.vm().name(), rooms.hosts[was.h()].name());
        }
    }

    /** Whether the open hosts have, in sum, what {@code movers} need: moving others between them changes nothing in that. */
    private boolean enough(List<PlanVm> movers) {
        int kinds = rooms.resources.size();
        long[] left = new long[kinds];
        for (int h = 0; h < rooms.hosts.length; h++) {
            for (int r = 0; r < kinds && rooms.open[h]; r++) {
                left[r] += Math.max(0, rooms.free[h * kinds + r]);
            }
        }
        for (PlanVm vm : movers) {
            long[] need = rooms.need(vm);
            for (int r = 0; r < kinds; r++) {
                left[r] -= need[r];
            }
        }
        return Arrays.stream(left).noneMatch(each -> each < 0);
    }

    /** Whether it could be placed if nothing else were there. */
    private boolean possible(PlanVm vm) {
        int from = rooms.at(vm.host());
        long[] need = rooms.need(vm);
        for (int h = 0; h < rooms.hosts.length; h++) {
            boolean large = true;
            for (int r = 0; r < need.length; r++) {
                large &= need[r] <= rooms.capacity[h * need.length + r];
            }
            if (large
                    && h != from
                    && rooms.open[h]
                    && vm.immovable().isEmpty()
                    && Rooms.mayBeOn(vm, rooms.hosts[h])
                    && rooms.loads.reaches(from, h)
                    && rooms.withinBudget(vm, from, h)) {
                return true;
            }
        }
        return false;
    }

    /** Places all of {@code movers}, which are where they were at first; when it cannot, that is where they are left. */
    private boolean place(List<PlanVm> movers, int most) {
        movers.forEach(vm -> rooms.remove(vm, rooms.at(vm.host())));
        for (int others = 0; others <= Math.min(most, MOST_OTHERS); others++) {
            looks = 0;
            if (next(new ArrayList<>(movers), 0, others)) {
                return true;
            }
        }
        movers.forEach(vm -> rooms.put(vm, rooms.at(vm.host())));
        return false;
    }

    private boolean next(List<PlanVm> todo, int at, int others) {
        if (at == todo.size()) {
            return true;
        }
        looks += rooms.hosts.length;
        if (looks > PATIENCE) {
            return false;
        }
        PlanVm vm = todo.get(at);
        for (int h : placer.candidates(vm)) {
            placer.settle(vm, h);
            if (next(todo, at + 1, others)) {
                return true;
            }
            placer.unsettle(vm, h);
        }
        return others > 0 && instead(todo, at, others);
    }

    /** Takes another away somewhere, which then waits for a place as well. */
    private boolean instead(List<PlanVm> todo, int at, int others) {
        PlanVm vm = todo.get(at);
        int home = rooms.at(vm.host());
        for (int h = 0; h < rooms.hosts.length; h++) {
            if (!rooms.open[h] || h == home || !Rooms.mayBeOn(vm, rooms.hosts[h])) {
                continue;
            }
            for (PlanVm other : placer.movable(h)) {
                looks++;
                rooms.remove(other, h);
                todo.add(other);
                boolean done = false;
                if (rooms.fits(vm, h) && rooms.allowed(vm, home, h)) {
                    placer.settle(vm, h);
                    done = next(todo, at + 1, others - 1);
                    if (!done) {
                        placer.unsettle(vm, h);
                    }
                } else if (others > 1) {
                    done = next(todo, at, others - 1); // one was not enough
                }
                if (done) {
                    return true;
                }
                todo.removeLast();
                rooms.put(other, h);
            }
        }
        return false;
    }
}
