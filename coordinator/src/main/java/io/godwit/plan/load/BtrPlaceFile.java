package io.godwit.plan.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.TransferModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * BtrPlace's JSON instances (scheduler-json 1.x): mapping, shareable resources, the network view, VM attributes
 * ({@code memUsed} in MB, {@code hotDirtySize} MB, {@code hotDirtyDuration} s, {@code coldDirtyRate} MB/s), node attributes
 * ({@code boot}, {@code shutdown} in seconds), and constraints. Durations are BtrPlace's ({@link TransferModel#BTRPLACE}), so
 * that plans can be compared. Plain or gzip.
 */
public final class BtrPlaceFile {
    /** What BtrPlace takes for a guest that says nothing about itself (CNetwork). */
    private static final double IDLE_HOT_MB = 5;

    private static final double IDLE_HOT_SECONDS = 2;
    /** What BtrPlace takes for booting and shutting down where no attribute says it (DurationEvaluators). */
    private static final long DEFAULT_SECONDS = 1;

    private final String file;
    private final JsonNode root;
    private final BtrPlaceConstraints constraints;

    private BtrPlaceFile(String file, JsonNode root) {
        this.file = file;
        this.root = root;
        constraints = new BtrPlaceConstraints(file, required(root, "constraints"));
    }

    /**
     * Reads an instance.
     *
     * @throws InputProblem naming the file, the field and what was expected
     */
    public static PlanCase read(Path path) {
        String file = path.toString();
        byte[] bytes = InputBytes.read(path);
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(bytes);
        } catch (JsonProcessingException e) {
            throw InputProblem.unreadable(file, "JSON", e);
        } catch (IOException e) {
            throw new InputProblem(file + ": " + e.getMessage());
        }
        try {
            return new BtrPlaceFile(file, root).plan();
        } catch (IllegalArgumentException e) {
            throw new InputProblem(file + ": " + e.getMessage());
        }
    }

    private JsonNode required(JsonNode node, String field) {
        JsonNode value = node == null ? null : node.get(field);
        if (value == null || value.isNull()) {
            throw InputProblem.field(file, field, "missing; expected a BtrPlace instance");
        }
        return value;
    }

    private PlanCase plan() {
        JsonNode model = required(root, "model");
        JsonNode mapping = required(model, "mapping");
        Map<Integer, String> placed = new TreeMap<>();
        Set<Integer> online = new HashSet<>();
        Set<Integer> nodes = new TreeSet<>();
        required(mapping, "onlineNodes").properties().forEach(entry -> {
            int node = number(entry.getKey(), "onlineNodes");
            nodes.add(node);
            online.add(node);
            entry.getValue().path("runningVMs").forEach(vm -> placed.put(vm.asInt(), node(node)));
        });
        mapping.path("offlineNodes").forEach(node -> nodes.add(node.asInt()));
        Map<Integer, Map<String, Long>> capacities = new HashMap<>();
        Map<Integer, Map<String, Long>> demands = new HashMap<>();
        Network network = Network.NONE;
        for (JsonNode view : model.path("views")) {
            switch (view.path("id").asText()) {
                case "shareableResource" -> {
                    String resource = required(view, "rcId").asText();
                    nodes.forEach(n -> capacities
                            .computeIfAbsent(n, _ -> new HashMap<>())
                            .put(resource, amount(view, "nodes", n, "defCapacity")));
                    placed.keySet()
                            .forEach(vm -> demands.computeIfAbsent(vm, _ -> new HashMap<>())
                                    .put(resource, amount(view, "vms", vm, "defConsumption")));
                }
                case "net" -> network = new BtrPlaceNetwork(file, view).network();
                default ->
                    throw InputProblem.field(
                            file,
                            "views",
                            "unknown view '" + view.path("id").asText() + "'; expected shareableResource or net");
            }
        }
        JsonNode attributes = model.path("attributes");
        List<PlanHost> hosts = new ArrayList<>();
        for (int node : nodes) {
            JsonNode own = attributes.path("nodes").path(String.valueOf(node));
            boolean off = constraints.offline.contains(node);
            hosts.add(new PlanHost(
                    node(node),
                    capacities.getOrDefault(node, Map.of()),
                    online.contains(node) ? 0 : own.path("boot").asLong(DEFAULT_SECONDS) * 1000,
                    off && online.contains(node) ? own.path("shutdown").asLong(DEFAULT_SECONDS) * 1000 : 0,
                    off ? "is to go offline" : "",
                    PlanHost.UNLIMITED,
                    PlanHost.UNLIMITED,
                    "",
                    Set.of()));
        }
        List<PlanVm> vms = new ArrayList<>();
        placed.forEach((vm, host) -> vms.add(new PlanVm(
                vm(vm),
                host,
                demands.getOrDefault(vm, Map.of()),
                ram(attributes.path("vms").path(String.valueOf(vm)), vm),
                Long.MAX_VALUE,
                0,
                "",
                constraints.only.getOrDefault(vm, Set.of()),
                Set.of(),
                constraints.banned.getOrDefault(vm, Set.of()))));
        Map<String, String> destinations = new HashMap<>();
        placed.forEach((vm, _) -> {
            Set<String> only = constraints.only.getOrDefault(vm, Set.of());
            if (only.size() == 1) {
                destinations.put(vm(vm), only.iterator().next());
            }
        });
        Set<String> drained = new HashSet<>();
        constraints.offline.stream().filter(online::contains).forEach(node -> drained.add(node(node)));
        return new PlanCase(
                hosts, vms, network, constraints.rules, TransferModel.BTRPLACE, drained, destinations, Long.MAX_VALUE);
    }

    private RamProfile ram(JsonNode own, int vm) {
        JsonNode used = own.get("memUsed");
        if (used == null) {
            throw InputProblem.field(
                    file, "attributes.vms." + vm + ".memUsed", "missing; expected the memory in use, MB");
        }
        return new RamProfile(
                used.asDouble(),
                own.path("hotDirtySize").asDouble(IDLE_HOT_MB),
                own.path("hotDirtyDuration").asDouble(IDLE_HOT_SECONDS),
                own.path("coldDirtyRate").asDouble(0));
    }

    private static long amount(JsonNode view, String list, int id, String fallback) {
        return view.path(list)
                .path(String.valueOf(id))
                .asLong(view.path(fallback).asLong(0));
    }

    private int number(String text, String field) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw InputProblem.field(file, field, "'" + text + "' is no node number");
        }
    }

    static String node(int id) {
        return "node#" + id;
    }

    static String vm(int id) {
        return "vm#" + id;
    }
}
