package io.godwit.plan.place;

import io.godwit.plan.model.PlanVm;
import java.util.Arrays;
import java.util.List;

/** Moves others out of the way: one, else a chain of two, else two from the same host; fewest moves first, then least memory. */
final class MakeRoom {
    /** Looks at hosts before it gives up on making room for a batch: some tenths of a second. */
    private static final long MOST_LOOKS = 5_000_000;

    private final Rooms rooms;
    private final Placer placer;

    MakeRoom(Rooms rooms, Placer placer) {
        this.rooms = rooms;
        this.placer = placer;
    }

    boolean settle(PlanVm vm) {
        return byOne(vm, 1) || byOne(vm, 2) || byTwo(vm);
    }

    private boolean open(PlanVm vm, int h) {
        return h != rooms.where(vm)
                && rooms.open[h]
                && Rooms.mayBeOn(vm, rooms.hosts[h])
                && rooms.withinBudget(vm, rooms.where(vm), h);
    }

    private boolean byOne(PlanVm vm, int depth) {
        for (int h = 0; h < rooms.hosts.length && placer.roomLooks() < MOST_LOOKS; h++) {
            if (!open(vm, h)) {
                continue;
            }
            List<PlanVm> movable = placer.movable(h);
            if (!enough(vm, h, movable, 1)) {
                continue;
            }
            for (PlanVm other : movable) {
                int from = rooms.where(vm);
                rooms.remove(other, h);
                boolean would = rooms.fits(vm, h) && rooms.allowed(vm, from, h);
                rooms.put(other, h);
                if (would && away(vm, other, h, depth)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether {@code vm} could fit on h if the {@code count} that have most of each resource left it: if not, no pair need be tried. */
    private boolean enough(PlanVm vm, int h, List<PlanVm> movable, int count) {
        long[] need = rooms.need(vm);
        long[][] most = new long[need.length][count];
        for (PlanVm other : movable) {
            long[] frees = rooms.need(other);
            for (int r = 0; r < need.length; r++) {
                long carried = frees[r];
                for (int i = 0; i < count; i++) {
                    long less = Math.min(most[r][i], carried);
                    most[r][i] = Math.max(most[r][i], carried);
                    carried = less;
                }
            }
        }
        for (int r = 0; r < need.length; r++) {
            long left = Math.max(0, rooms.free[h * need.length + r])
                    + Arrays.stream(most[r]).sum();
            if (need[r] > 0 && left < need[r]) {
                return false;
            }
        }
        return true;
    }

    /** Moves {@code other} off h and puts {@code vm} there. */
    private boolean away(PlanVm vm, PlanVm other, int h, int depth) {
        // the room is taken first, so that nothing that follows settles in it
        int from = rooms.where(vm);
        rooms.remove(other, h);
        placer.move(vm, from, h);
        rooms.put(other, h);
        boolean gone = depth > 1 ? byOne(other, depth - 1) : placer.settle(other);
        if (!gone) {
            placer.undo(vm, from, h);
        }
        return gone;
    }

    private boolean byTwo(PlanVm vm) {
        for (int h = 0; h < rooms.hosts.length && placer.roomLooks() < MOST_LOOKS; h++) {
            if (!open(vm, h)) {
                continue;
            }
            List<PlanVm> movable = placer.movable(h);
            if (!enough(vm, h, movable, 2)) {
                continue;
            }
            for (int a = 0; a < movable.size(); a++) {
                for (int b = a + 1; b < movable.size(); b++) {
                    if (two(vm, movable.get(a), movable.get(b), h)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private boolean two(PlanVm vm, PlanVm first, PlanVm second, int h) {
        int from = rooms.where(vm);
        rooms.remove(first, h);
        rooms.remove(second, h);
        boolean would = rooms.fits(vm, h) && rooms.allowed(vm, from, h);
        rooms.put(first, h);
        rooms.put(second, h);
        if (!would || !placer.settle(first)) {
            return false;
        }
        int to = rooms.where(first);
        if (!placer.settle(second)) {
            placer.undo(first, h, to);
            return false;
        }
        placer.move(vm, from, h);
        return true;
    }
}
