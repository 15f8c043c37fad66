package io.godwit.plan.model;

import java.util.List;
import java.util.Map;

/**
 * Hosts, switches and the links between them. Links are full duplex: each direction has the whole capacity.
 *
 * @param switches switches by name, with the most they carry in all, Mbit/s; {@link #UNLIMITED} for non-blocking
 * @param links links
 * @param routes paths that are given; all others are the shortest ones
 */
public record Network(Map<String, Long> switches, List<Link> links, List<Route> routes) {
    /** No limit. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /** No network is modelled: bandwidth is limited by nothing but the hosts' limits. */
    public static final Network NONE = new Network(Map.of(), List.of(), List.of());

    /**
     * A cable.
     *
     * @param a a host or a switch
     * @param b a switch
     * @param mbitPerSecond capacity of each direction
     */
    public record Link(String a, String b, long mbitPerSecond) {}

    /**
     * A path that is given.
     *
     * @param from host
     * @param to host
     * @param hops links in order, by their index, and whether each is passed from {@code a} to {@code b}
     */
    public record Route(String from, String to, List<Hop> hops) {
        /** Copies the list. */
        public Route {
            hops = List.copyOf(hops);
        }
    }

    /** One link of a path: its index in {@link Network#links} and whether it is passed from {@code a} to {@code b}. */
    public record Hop(int link, boolean forward) {}

    /** Copies the collections. */
    public Network {
        switches = Map.copyOf(switches);
        links = List.copyOf(links);
        routes = List.copyOf(routes);
    }
}
