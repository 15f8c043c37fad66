package io.godwit.plan.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which channels a migration between two hosts takes. A channel is one direction of a link ({@code 2 * link} from a to b,
 * {@code 2 * link + 1} back), or all of a switch that has a limit. Not thread-safe: it remembers the trees it has searched.
 */
public final class Paths {
    private final Network network;
    private final Map<String, Integer> points = new HashMap<>();
    private final Map<String, List<Network.Hop>> given = new HashMap<>();
    private final Map<Integer, int[]> trees = new HashMap<>();
    private final List<List<Integer>> outgoing = new ArrayList<>();
    private final int[] head;
    private final int[] switchChannel;
    /** With no circle in the network: the channel from each point towards its root, -1 at the root; else null. */
    private final int @Nullable [] up;

    private final int[] depth;
    private final String[] names;
    private final long[] capacity;

    /**
     * Reads a network.
     *
     * @throws IllegalArgumentException when a link ends at no switch
     */
    public Paths(Network network) {
        this.network = network;
        new TreeMap<>(network.switches()).keySet().forEach(this::point);
        int links = network.links().size();
        head = new int[2 * links];
        for (int l = 0; l < links; l++) {
            Network.Link link = network.links().get(l);
            if (!network.switches().containsKey(link.b())) {
                throw new IllegalArgumentException(
                        "link " + l + " from '" + link.a() + "' ends at '" + link.b() + "', which is no switch");
            }
            int a = point(link.a());
            int b = point(link.b());
            head[2 * l] = b;
            head[2 * l + 1] = a;
            outgoing.get(a).add(2 * l);
            outgoing.get(b).add(2 * l + 1);
        }
        switchChannel = new int[points.size()];
        Arrays.fill(switchChannel, -1);
        List<String> limited = new ArrayList<>();
        new TreeMap<>(network.switches()).forEach((name, most) -> {
            if (most != Network.UNLIMITED) {
                switchChannel[points.getOrDefault(name, 0)] = 2 * links + limited.size();
                limited.add(name);
            }
        });
        names = new String[2 * links + limited.size()];
        capacity = new long[names.length];
        for (int l = 0; l < links; l++) {
            Network.Link link = network.links().get(l);
            names[2 * l] = link.a() + " -> " + link.b();
            names[2 * l + 1] = link.b() + " -> " + link.a();
            capacity[2 * l] = link.mbitPerSecond();
            capacity[2 * l + 1] = link.mbitPerSecond();
        }
        for (int s = 0; s < limited.size(); s++) {
            names[2 * links + s] = "switch " + limited.get(s);
            capacity[2 * links + s] = network.switches().getOrDefault(limited.get(s), Network.UNLIMITED);
        }
        depth = new int[points.size()];
        up = rooted();
        network.routes().forEach(route -> given.put(route.from() + "\0" + route.to(), route.hops()));
    }

    private int point(String name) {
        return points.computeIfAbsent(name, _ -> {
            outgoing.add(new ArrayList<>());
            return outgoing.size() - 1;
        });
    }

    /** How many channels there are. */
    public int channels() {
        return names.length;
    }

    /** A channel's name, for people. */
    public String name(int channel) {
        return names[channel];
    }

    /** A channel's capacity, Mbit/s. */
    public long capacity(int channel) {
        return capacity[channel];
    }

    /**
     * Channels between two hosts, in order; none without a network.
     *
     * @throws IllegalArgumentException when there is a network and no way
     */
    public int[] between(String from, String to) {
        if (network.links().isEmpty() || from.equals(to)) {
            return new int[0];
        }
        List<Network.Hop> hops = given.get(from + "\0" + to);
        Integer a = points.get(from);
        Integer b = points.get(to);
        if (hops == null && (a == null || b == null)) {
            throw new IllegalArgumentException("host '" + (a == null ? from : to) + "' has no link");
        }
        List<Integer> channels = new ArrayList<>();
        if (hops == null && up != null) {
            climb(channels, up, a == null ? 0 : a, b == null ? 0 : b, from, to);
        } else if (hops == null) {
            int[] tree = trees.computeIfAbsent(b == null ? 0 : b, this::towards);
            for (int at = a == null ? 0 : a; at != (b == null ? 0 : b); at = head[tree[at]]) {
                if (tree[at] < 0) {
                    throw new IllegalArgumentException("no way from host '" + from + "' to host '" + to + "'");
                }
                channels.add(tree[at]);
            }
        } else {
            hops.forEach(hop -> channels.add(2 * hop.link() + (hop.forward() ? 0 : 1)));
        }
        return withSwitches(channels);
    }

    /** Each point's way to a root, if there is only one way between any two points. */
    private int @Nullable [] rooted() {
        int[] towards = new int[points.size()];
        Arrays.fill(towards, -1);
        Arrays.fill(depth, -1);
        int roots = 0;
        for (int root = 0; root < towards.length; root++) {
            if (depth[root] >= 0) {
                continue;
            }
            roots++;
            depth[root] = 0;
            ArrayDeque<Integer> queue = new ArrayDeque<>(List.of(root));
            while (!queue.isEmpty()) {
                int at = queue.remove();
                for (int channel : outgoing.get(at)) {
                    int other = head[channel];
                    if (depth[other] < 0) {
                        depth[other] = depth[at] + 1;
                        towards[other] = channel ^ 1;
                        queue.add(other);
                    }
                }
            }
        }
        return network.links().size() == towards.length - roots ? towards : null;
    }

    private void climb(List<Integer> channels, int[] towardsRoot, int a, int b, String from, String to) {
        List<Integer> down = new ArrayList<>();
        int here = a;
        int there = b;
        while (here != there) {
            if (depth[here] == 0 && depth[there] == 0) {
                throw new IllegalArgumentException("no way from host '" + from + "' to host '" + to + "'");
            }
            if (depth[here] >= depth[there]) {
                channels.add(towardsRoot[here]);
                here = head[towardsRoot[here]];
            } else {
                down.add(towardsRoot[there] ^ 1);
                there = head[towardsRoot[there]];
            }
        }
        channels.addAll(down.reversed());
    }

    private int[] withSwitches(List<Integer> channels) {
        List<Integer> all = new ArrayList<>(channels);
        for (int channel : channels) {
            for (int end : new int[] {head[channel], head[channel ^ 1]}) {
                if (switchChannel[end] >= 0 && !all.contains(switchChannel[end])) {
                    all.add(switchChannel[end]);
                }
            }
        }
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The channel to take next from each point on a shortest way to {@code target}; -1 where there is none. */
    private int[] towards(int target) {
        int[] next = new int[outgoing.size()];
        Arrays.fill(next, -1);
        ArrayDeque<Integer> queue = new ArrayDeque<>(List.of(target));
        while (!queue.isEmpty()) {
            int at = queue.remove();
            for (int channel : outgoing.get(at)) {
                int other = head[channel];
                if (other != target && next[other] < 0) {
                    next[other] = channel ^ 1;
                    queue.add(other);
                }
            }
        }
        return next;
    }
}
