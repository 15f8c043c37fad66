package io.godwit.plan.simulate;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Paths;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.TransferModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** One run: the fleet, what runs, and a clock that jumps from end to end. Used once. */
final class FleetRun {
    /** What a migration without modelled links has, Mbit/s: one 10 Gbit/s port. */
    private static final double UNMODELLED_MBIT = 10_000;

    private final PlanCase plan;
    private final Policy policy;
    private final List<ScheduledMove> moves;
    private final Map<String, PlanHost> hosts;
    private final Map<String, PlanVm> vms;
    private final int[][] paths;
    private final double[] capacity;
    private final double[] most;
    private final double[] noise;
    private final double[] left;
    private final double[] mbit;
    /** What the plan gives to those that run, by channel. */
    private final double[] given;

    private final long[] endMs;
    private final Map<String, Map<String, Long>> free = new HashMap<>();
    private final Map<String, Integer> outgoing = new HashMap<>();
    private final Map<String, Integer> incoming = new HashMap<>();
    private final Map<String, String> where = new HashMap<>();
    private final int[] running;
    private int runningCount;
    private int peak;
    private double now;

    /**
     * @param moves in the order in which they are to start
     * @param noise how much durations vary: the standard deviation of their logarithms
     */
    FleetRun(PlanCase plan, List<ScheduledMove> moves, Policy policy, double noise, long seed) {
        this.plan = plan;
        this.policy = policy;
        this.moves = moves;
        hosts = plan.hostsByName();
        vms = plan.vmsByName();
        Paths routing = new Paths(plan.network());
        capacity = new double[routing.channels()];
        for (int c = 0; c < capacity.length; c++) {
            capacity[c] = routing.capacity(c) == Network.UNLIMITED ? 1e15 : routing.capacity(c);
        }
        int n = moves.size();
        paths = new int[n][];
        most = new double[n];
        this.noise = new double[n];
        left = new double[n];
        mbit = new double[n];
        endMs = new long[n];
        given = new double[capacity.length];
        running = new int[n];
        for (int m = 0; m < n; m++) {
            ScheduledMove move = moves.get(m);
            paths[m] = routing.between(move.from(), move.to());
            most[m] = paths[m].length == 0 ? UNMODELLED_MBIT : Double.MAX_VALUE;
            for (int channel : paths[m]) {
                most[m] = Math.min(most[m], capacity[channel]);
            }
            left[m] = 1;
            endMs[m] = -1;
            // by the VM, not by its turn: every policy meets the same guests
            this.noise[m] = Math.exp(noise * new Random(seed * 31 + move.vm().hashCode()).nextGaussian());
        }
        for (PlanHost host : plan.hosts()) {
            free.put(host.name(), new HashMap<>(host.capacity()));
        }
        for (PlanVm vm : plan.vms()) {
            take(vm, vm.host(), 1);
            where.put(vm.name(), vm.host());
        }
    }

    private void take(PlanVm vm, String host, int sign) {
        Map<String, Long> of = free.computeIfAbsent(host, _ -> new HashMap<>());
        vm.demand().forEach((resource, amount) -> of.merge(resource, -sign * amount, Long::sum));
    }

    Outcome run() {
        FairShare fair = new FairShare(capacity);
        List<Integer> pending = new ArrayList<>();
        for (int m = 0; m < moves.size(); m++) {
            pending.add(m);
        }
        while (true) {
            if (!policy.waves() || runningCount == 0) {
                pending.removeIf(this::start);
            }
            peak = Math.max(peak, runningCount);
            fair.share(paths, running, runningCount, most, mbit);
            double next = nextEnd(pending);
            if (next == Double.MAX_VALUE) {
                break;
            }
            for (int r = 0; r < runningCount; r++) {
                left[running[r]] -= (next - now) / duration(running[r]);
            }
            now = next;
            finish();
        }
        return outcome(pending.size());
    }

    private Outcome outcome(int never) {
        long last = 0;
        double sum = 0;
        int ended = 0;
        for (long end : endMs) {
            if (end >= 0) {
                last = Math.max(last, end);
                sum += end;
                ended++;
            }
        }
        return new Outcome(policy.name(), last, ended == 0 ? 0 : sum / ended, peak, never + runningCount);
    }

    private double duration(int m) {
        PlanVm vm = vms.get(moves.get(m).vm());
        long ms = vm == null ? 0 : plan.transfer().durationMs(vm.ram(), Math.max(1, (long) mbit[m]));
        return ms >= TransferModel.NEVER_MS ? Double.MAX_VALUE : ms * noise[m];
    }

    private double nextEnd(List<Integer> pending) {
        double next = Double.MAX_VALUE;
        for (int r = 0; r < runningCount; r++) {
            double duration = duration(running[r]);
            if (duration < Double.MAX_VALUE) {
                next = Math.min(next, now + Math.max(0, left[running[r]]) * duration);
            }
        }
        for (int m : pending) {
            double ready = boot(m);
            if (ready > now) {
                next = Math.min(next, ready);
            }
        }
        return next;
    }

    private double boot(int m) {
        PlanHost to = hosts.get(moves.get(m).to());
        return to == null ? 0 : to.bootMs();
    }

    private boolean start(int m) {
        ScheduledMove move = moves.get(m);
        PlanVm vm = vms.get(move.vm());
        PlanHost from = hosts.get(move.from());
        PlanHost to = hosts.get(move.to());
        int leaving = outgoing.getOrDefault(move.from(), 0);
        int coming = incoming.getOrDefault(move.to(), 0);
        if (vm == null
                || from == null
                || to == null
                || !move.from().equals(where.get(move.vm()))
                || boot(m) > now
                || runningCount >= policy.atOnce()
                || leaving >= Math.min(policy.outgoing(), from.maxOutgoing())
                || coming >= Math.min(policy.incoming(), to.maxIncoming())
                || !room(vm, to)
                || policy.planned() && !bandwidth(m)) {
            return false;
        }
        take(vm, move.to(), 1);
        where.remove(move.vm());
        outgoing.merge(move.from(), 1, Integer::sum);
        incoming.merge(move.to(), 1, Integer::sum);
        give(m, 1);
        running[runningCount++] = m;
        return true;
    }

    private boolean room(PlanVm vm, PlanHost to) {
        Map<String, Long> has = free.getOrDefault(to.name(), Map.of());
        return vm.demand().entrySet().stream()
                .allMatch(need -> need.getValue() == 0 || has.getOrDefault(need.getKey(), 0L) >= need.getValue());
    }

    private double share(int m) {
        return moves.get(m).shares().isEmpty()
                ? 0
                : moves.get(m).shares().getFirst().mbitPerSecond();
    }

    private boolean bandwidth(int m) {
        for (int channel : paths[m]) {
            if (given[channel] + share(m) > capacity[channel]) {
                return false;
            }
        }
        return true;
    }

    private void give(int m, int sign) {
        for (int channel : paths[m]) {
            given[channel] += sign * share(m);
        }
    }

    private void finish() {
        int kept = 0;
        for (int r = 0; r < runningCount; r++) {
            int m = running[r];
            if (left[m] > 1e-9) {
                running[kept++] = m;
                continue;
            }
            ScheduledMove move = moves.get(m);
            PlanVm vm = vms.get(move.vm());
            if (vm != null) {
                take(vm, move.from(), -1);
            }
            where.put(move.vm(), move.to());
            outgoing.merge(move.from(), -1, Integer::sum);
            incoming.merge(move.to(), -1, Integer::sum);
            give(m, -1);
            endMs[m] = Math.round(now);
        }
        runningCount = kept;
    }
}
