package io.godwit.plan.place;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Paths;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.TransferModel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How long the links will be busy with what has been placed. Hosts that hang on one switch with one link share their path up to
 * it, so that what a path carries is looked at once per switch and not once per host.
 */
final class Loads {
    /** With no network modelled: one 10 Gbit/s port. */
    private static final long UNMODELLED_MBIT = 10_000;

    private final TransferModel transfer;
    private final Paths paths;
    private final PlanHost[] hosts;
    private final boolean modelled;
    /** Hosts of one group share all but the last link of their paths. */
    private final int[] group;

    private final int groups;
    /** One host of each group. */
    private final int[] example;
    /** The link into each host of a group of several; -1 where a path has to be looked at as a whole. */
    private final int[] port;

    private final double[] busyMs;
    private final double[] incomingMs;
    private final int[][][] pathsFrom;

    // of the VM looked at last
    private final double[] groupBusyMs;
    private final long[] groupMbit;

    Loads(PlanCase plan, PlanHost[] hosts) {
        this.hosts = hosts;
        transfer = plan.transfer();
        paths = new Paths(plan.network());
        modelled = !plan.network().links().isEmpty();
        busyMs = new double[paths.channels()];
        incomingMs = new double[hosts.length];
        group = new int[hosts.length];
        port = new int[hosts.length];
        Map<String, Integer> single = new HashMap<>();
        Set<String> several = new HashSet<>();
        for (int l = 0; l < plan.network().links().size(); l++) {
            Network.Link link = plan.network().links().get(l);
            if (single.put(link.a(), l) != null) {
                several.add(link.a());
            }
        }
        Map<String, Integer> bySwitch = new HashMap<>();
        int count = 0;
        int[] first = new int[hosts.length];
        for (int h = 0; h < hosts.length; h++) {
            Integer link = single.get(hosts[h].name());
            Integer known = null;
            port[h] = -1;
            if (link != null && plan.network().routes().isEmpty() && !several.contains(hosts[h].name())) {
                port[h] = 2 * link + 1;
                known = bySwitch.putIfAbsent(plan.network().links().get(link).b(), count);
            }
            if (known == null) {
                first[count] = h;
                group[h] = count++;
            } else {
                group[h] = known;
            }
        }
        groups = count;
        example = first;
        pathsFrom = new int[hosts.length][][];
        groupBusyMs = new double[groups];
        groupMbit = new long[groups];
    }

    /** The path from a host to the last switch before those of a group; the whole path for a host that is a group by itself. */
    private int[] shared(int from, int g) {
        int[][] all = pathsFrom[from];
        if (all == null) {
            all = new int[groups][];
            pathsFrom[from] = all;
        }
        int[] path = all[g];
        if (path == null) {
            int h = example[g];
            if (port[h] >= 0 && h == from) {
                path = new int[] {port[h] ^ 1}; // to a neighbour: out of its own port
            } else {
                path = between(from, h);
            }
            all[g] = path;
        }
        return path;
    }

    private int[] between(int from, int h) {
        try {
            return Arrays.stream(paths.between(hosts[from].name(), hosts[h].name()))
                    .filter(channel -> channel != port[h])
                    .toArray();
        } catch (IllegalArgumentException _) {
            return new int[0]; // any other path has links
        }
    }

    /** Whether there is a way. */
    boolean reaches(int from, int h) {
        return !modelled || from == h || shared(from, group[h]).length > 0;
    }

    /** Looks at {@code vm}'s ways to all groups; to be called before {@link #endMs}. */
    void look(PlanVm vm, int from) {
        if (!modelled) {
            return;
        }
        for (int g = 0; g < groups; g++) {
            long mbit = Long.MAX_VALUE;
            double busy = 0;
            for (int channel : shared(from, g)) {
                mbit = Math.min(mbit, paths.capacity(channel));
                busy = Math.max(busy, busyMs[channel]);
            }
            groupMbit[g] = mbit;
            groupBusyMs[g] = busy;
        }
    }

    /** When about it could be on host {@code h}, if everything placed so far goes first, ms; after {@link #look}. */
    double endMs(PlanVm vm, int h) {
        if (!modelled) {
            return incomingMs[h] + durationMs(vm, UNMODELLED_MBIT);
        }
        int in = port[h];
        double busy = groupBusyMs[group[h]];
        long mbit = groupMbit[group[h]];
        if (in >= 0) {
            busy = Math.max(busy, busyMs[in]);
            mbit = Math.min(mbit, paths.capacity(in));
        }
        return busy + durationMs(vm, mbit);
    }

    private long lastMbit = -1;
    private String lastVm = "";
    private long lastMs;

    /** How long its copy takes on an empty network, ms. */
    long durationMs(PlanVm vm, int from, int h) {
        return durationMs(vm, mbit(from, h));
    }

    private long durationMs(PlanVm vm, long mbit) {
        // nearly all hosts are alike
        if (mbit != lastMbit || !vm.name().equals(lastVm)) {
            lastMbit = mbit;
            lastVm = vm.name();
            lastMs = transfer.durationMs(vm.ram(), mbit);
        }
        return lastMs;
    }

    long blackoutMs(PlanVm vm, int from, int h) {
        return transfer.blackoutMs(vm.ram(), mbit(from, h));
    }

    private long mbit(int from, int h) {
        if (!modelled || from == h) {
            return Math.min(UNMODELLED_MBIT, transfer.mostMbit());
        }
        long mbit = port[h] < 0 ? Long.MAX_VALUE : paths.capacity(port[h]);
        for (int channel : shared(from, group[h])) {
            mbit = Math.min(mbit, paths.capacity(channel));
        }
        return Math.min(mbit == Long.MAX_VALUE ? UNMODELLED_MBIT : mbit, transfer.mostMbit());
    }

    /** Adds (sign 1) or takes away (sign -1) a migration. */
    void add(PlanVm vm, int from, int h, int sign) {
        long mbit = mbit(from, h);
        double work = sign * (double) durationMs(vm, from, h);
        incomingMs[h] += work;
        if (!modelled || from == h) {
            return;
        }
        for (int channel : shared(from, group[h])) {
            busyMs[channel] += work * mbit / paths.capacity(channel);
        }
        if (port[h] >= 0) {
            busyMs[port[h]] += work * mbit / paths.capacity(port[h]);
        }
    }
}
