package io.godwit.plan.load;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Hop;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.Network.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The network view of a BtrPlace instance; capacities are Mbit/s, -1 is no limit. */
final class BtrPlaceNetwork {
    private final String file;
    private final JsonNode view;

    BtrPlaceNetwork(String file, JsonNode view) {
        this.file = file;
        this.view = view;
    }

    Network network() {
        Map<String, Long> switches = new HashMap<>();
        view.path("switches").forEach(each -> switches.put(name(each.path("id").asInt()), capacity(each)));
        List<Link> links = new ArrayList<>();
        Map<Integer, Integer> positions = new HashMap<>();
        for (JsonNode link : view.path("links")) {
            positions.put(link.path("id").asInt(), links.size());
            JsonNode element = link.path("physicalElement");
            String a = switch (element.path("type").asText()) {
                case "node" -> BtrPlaceFile.node(element.path("id").asInt());
                case "switch" -> name(element.path("id").asInt());
                default ->
                    throw InputProblem.field(
                            file,
                            "links[" + links.size() + "].physicalElement.type",
                            "'" + element.path("type").asText() + "'; expected node or switch");
            };
            links.add(new Link(a, name(link.path("switch").asInt()), capacity(link)));
        }
        return new Network(switches, links, routes(positions));
    }

    private List<Route> routes(Map<Integer, Integer> positions) {
        JsonNode routing = view.path("routing");
        List<Route> routes = new ArrayList<>();
        switch (routing.path("type").asText("default")) {
            case "default" -> {}
            case "static" -> {
                for (JsonNode route : routing.path("routes")) {
                    List<Hop> hops = new ArrayList<>();
                    for (JsonNode hop : route.path("links")) {
                        Integer link = positions.get(hop.path("link").asInt(-1));
                        if (link == null) {
                            throw InputProblem.field(
                                    file,
                                    "routing.routes[" + routes.size() + "].links",
                                    "no link " + hop.path("link").asText() + " in the network");
                        }
                        hops.add(new Hop(link, hop.path("direction").asBoolean()));
                    }
                    JsonNode ends = route.path("nodes_map");
                    routes.add(new Route(
                            BtrPlaceFile.node(ends.path("src").asInt()),
                            BtrPlaceFile.node(ends.path("dst").asInt()),
                            hops));
                }
            }
            default ->
                throw InputProblem.field(
                        file, "routing.type", "'" + routing.path("type").asText() + "'; expected default or static");
        }
        return routes;
    }

    private static String name(int id) {
        return "switch#" + id;
    }

    private static long capacity(JsonNode element) {
        long capacity = element.path("capacity").asLong(-1);
        return capacity < 0 ? Network.UNLIMITED : capacity;
    }
}
