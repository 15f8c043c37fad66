package io.godwit.plan.load;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Hop;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.Network.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The network of our fleet files: the hosts' own links, switches, links between them, routes. */
final class FleetNetwork {
    private FleetNetwork() {}

    static Network read(Reader root, Set<String> hosts) {
        Reader network = root.of("network");
        Map<String, Long> switches = new HashMap<>();
        for (Reader each : network.list("switches")) {
            String name = each.text("name", "");
            if (switches.put(name, each.whole("mbit", Network.UNLIMITED)) != null || hosts.contains(name)) {
                throw each.problem("name", "'" + name + "' is there twice");
            }
        }
        List<Link> links = new ArrayList<>();
        for (Reader host : root.list("hosts")) {
            if (host.has("nicMbit") != host.has("uplink")) {
                throw host.problem(
                        host.has("nicMbit") ? "nicMbit" : "uplink",
                        "expected both nicMbit and uplink, or none of them");
            }
            if (host.has("uplink")) {
                String uplink = host.text("uplink", "");
                if (hosts.contains(uplink)) {
                    throw host.problem("uplink", "'" + uplink + "' is a host; expected a switch");
                }
                switches.putIfAbsent(uplink, Network.UNLIMITED);
                links.add(new Link(host.text("name", ""), uplink, host.whole("nicMbit", 0)));
            }
        }
        for (Reader link : network.list("links")) {
            String a = link.text("a", "");
            String b = link.text("b", "");
            if (!hosts.contains(a)) {
                switches.putIfAbsent(a, Network.UNLIMITED);
            }
            if (hosts.contains(b)) {
                throw link.problem("b", "'" + b + "' is a host; expected a switch, and the host as 'a'");
            }
            switches.putIfAbsent(b, Network.UNLIMITED);
            links.add(new Link(a, b, link.whole("mbit", 0)));
        }
        List<Route> routes = new ArrayList<>();
        for (Reader route : network.list("routes")) {
            routes.add(route(route, hosts, links));
        }
        return links.isEmpty() ? Network.NONE : new Network(switches, links, routes);
    }

    private static Route route(Reader route, Set<String> hosts, List<Link> links) {
        List<String> points = new ArrayList<>();
        points.add(route.text("from", ""));
        points.addAll(route.names("via"));
        points.add(route.text("to", ""));
        for (String end : List.of("from", "to")) {
            if (!hosts.contains(route.text(end, ""))) {
                throw route.problem(end, "no host '" + route.text(end, "") + "'");
            }
        }
        List<Hop> hops = new ArrayList<>();
        for (int p = 1; p < points.size(); p++) {
            Hop hop = null;
            for (int l = 0; l < links.size() && hop == null; l++) {
                Link link = links.get(l);
                if (link.a().equals(points.get(p - 1)) && link.b().equals(points.get(p))) {
                    hop = new Hop(l, true);
                } else if (link.b().equals(points.get(p - 1)) && link.a().equals(points.get(p))) {
                    hop = new Hop(l, false);
                }
            }
            if (hop == null) {
                throw route.problem("via", "no link between '" + points.get(p - 1) + "' and '" + points.get(p) + "'");
            }
            hops.add(hop);
        }
        return new Route(points.getFirst(), points.getLast(), hops);
    }
}
