package io.godwit.plan.load;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.model.TransferModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Our own fleet files, YAML or JSON, plain or gzip; what may be in them is in {@link FleetSchema#text}. */
public final class FleetFile {
    private static final double MB_PER_MIB = 1.048576;
    /** Prefix of the tag that a CPU model becomes. */
    private static final String CPU_TAG = "cpu model ";

    private static final String NUMA = "numa";
    /** vCPUs of a host that says nothing of its cores: more than anybody has. */
    private static final long UNCOUNTED = 1L << 40;

    private final Map<String, PlanHost> hosts = new LinkedHashMap<>();
    private final Map<String, PlanVm> vms = new LinkedHashMap<>();

    private FleetFile() {}

    /**
     * Reads a file.
     *
     * @throws InputProblem naming the file, the line, the field, what is there and what was expected
     */
    public static PlanCase read(Path path) {
        String file = path.toString();
        Located contents = Located.parse(file, InputBytes.read(path));
        FleetSchema.check(file, contents);
        try {
            return new FleetFile().plan(new Reader(file, contents));
        } catch (IllegalArgumentException e) {
            throw new InputProblem(file + ": " + e.getMessage());
        }
    }

    private PlanCase plan(Reader root) {
        root.list("hosts").forEach(this::host);
        root.list("vms").forEach(this::vm);
        Network network = FleetNetwork.read(root, hosts.keySet());
        Map<String, String> destinations = new HashMap<>();
        Reader given = root.of("destinations");
        for (String vm : given.keys()) {
            if (!vms.containsKey(vm)) {
                throw given.problem(vm, "no vm '" + vm + "'");
            }
            String host = given.text(vm, "");
            if (!hosts.containsKey(host)) {
                throw given.problem(vm, "no host '" + host + "'");
            }
            destinations.put(vm, host);
        }
        return new PlanCase(
                List.copyOf(hosts.values()),
                List.copyOf(vms.values()),
                network,
                FleetRules.rules(root, vms.keySet()),
                new TransferModel(
                        root.number("wireBitsPerByte", TransferModel.STANDARD.wireBitsPerByte()),
                        TransferModel.STANDARD.roundingMs()),
                FleetRules.drained(root.of("drain"), hosts),
                destinations,
                FleetRules.reserves(root, hosts.values()),
                root.millis("deadlineSeconds", Long.MAX_VALUE));
    }

    private void host(Reader from) {
        String name = from.text("name", "");
        Map<String, Long> capacity = new HashMap<>();
        capacity.put("memory", from.whole("memoryMiB", 0));
        capacity.put(
                "cpu",
                from.has("cores")
                        ? (long) Math.floor(from.whole("cores", 0) * from.number("overcommit", 1))
                        : UNCOUNTED);
        if (from.has("hugepagesMiB")) {
            capacity.put("hugepages", from.whole("hugepagesMiB", 0));
        }
        amounts(from, "devices", capacity);
        Map<String, List<Long>> pools = new HashMap<>();
        if (from.has("numaNodesMiB")) {
            pools.put(NUMA, from.wholes("numaNodesMiB"));
        }
        Reader shared = from.of("sharedDevices");
        shared.keys().forEach(type -> pools.put(type, shared.wholes(type)));
        Set<String> tags = new HashSet<>(from.names("tags"));
        from.names("cpuModels").forEach(model -> tags.add(CPU_TAG + model));
        PlanHost host = new PlanHost(
                name,
                capacity,
                from.millis("bootSeconds", 0),
                from.millis("powerOffSeconds", 0),
                from.text("closed", ""),
                limit(from, "maxOutgoing"),
                limit(from, "maxIncoming"),
                from.text("domain", ""),
                tags,
                pools);
        if (hosts.put(name, host) != null) {
            throw from.problem("name", "host '" + name + "' is there twice");
        }
    }

    private static int limit(Reader from, String field) {
        return (int) Math.min(PlanHost.UNLIMITED, from.whole(field, PlanHost.UNLIMITED));
    }

    private static void amounts(Reader from, String field, Map<String, Long> into) {
        Reader types = from.of(field);
        for (String type : types.keys()) {
            if (into.putIfAbsent(type, types.whole(type, 0)) != null) {
                throw from.problem(field, "a device of type '" + type + "'; expected another name");
            }
        }
    }

    private void vm(Reader from) {
        String name = from.text("name", "");
        String host = from.text("host", "");
        if (!hosts.containsKey(host)) {
            throw from.problem("host", "no host '" + host + "'");
        }
        long memory = from.whole("memoryMiB", 0);
        Map<String, Long> demand = new HashMap<>();
        demand.put(from.flag("hugepages", false) ? "hugepages" : "memory", memory);
        if (from.has("vcpus")) {
            demand.put("cpu", from.whole("vcpus", 0));
        }
        amounts(from, "devices", demand);
        Map<String, SlotNeed> slots = new HashMap<>();
        Map<String, List<Integer>> held = new HashMap<>();
        if (from.has("numaNodes") && memory > 0) {
            int nodes = (int) Math.min(1 << 10, from.whole("numaNodes", 1));
            slots.put(NUMA, new SlotNeed(nodes, Math.ceilDiv(memory, (long) nodes)));
            held(from, "numaNodesHeld", NUMA, nodes, host, held);
        }
        Reader shared = from.of("sharedDevices");
        for (String type : shared.keys()) {
            Reader need = shared.of(type);
            int count = (int) Math.min(1 << 10, need.whole("count", 1));
            slots.put(type, new SlotNeed(count, need.whole("amount", 1)));
            held(need, "held", type, count, host, held);
        }
        if (!held.isEmpty() && held.size() < slots.size()) {
            throw from.problem(
                    "name", "says of " + held.keySet() + " which it holds; expected all of " + slots.keySet());
        }
        Set<String> tags = new HashSet<>(from.names("onlyTags"));
        if (from.has("cpuModel")) {
            tags.add(CPU_TAG + from.text("cpuModel", ""));
        }
        PlanVm vm = new PlanVm(
                name,
                host,
                demand,
                ram(from, memory),
                from.whole("blackoutBudgetMs", Long.MAX_VALUE),
                Math.clamp(from.whole("priority", 0), Integer.MIN_VALUE, Integer.MAX_VALUE),
                from.text("immovable", ""),
                from.known("onlyHosts", hosts.keySet(), "host"),
                tags,
                from.known("bannedHosts", hosts.keySet(), "host"),
                slots,
                held);
        if (vms.put(name, vm) != null) {
            throw from.problem("name", "vm '" + name + "' is there twice");
        }
    }

    private void held(Reader from, String field, String pool, int count, String host, Map<String, List<Integer>> into) {
        if (!from.has(field)) {
            return;
        }
        List<Integer> numbers = new ArrayList<>();
        PlanHost on = hosts.get(host);
        int slots = on == null ? 0 : on.pools().getOrDefault(pool, List.of()).size();
        for (long number : from.wholes(field)) {
            if (number >= slots) {
                throw from.problem(field, number + "; host '" + host + "' has " + slots + " of " + pool);
            }
            numbers.add((int) number);
        }
        if (new HashSet<>(numbers).size() != count || numbers.size() != count) {
            throw from.problem(field, numbers + "; expected " + count + " different ones");
        }
        into.put(pool, numbers);
    }

    private static RamProfile ram(Reader from, long memory) {
        double used = from.number("usedMiB", (double) memory);
        if (used > memory) {
            throw from.problem("usedMiB", used + "; expected at most its memory, " + memory);
        }
        return new RamProfile(
                used * MB_PER_MIB,
                from.number("hotMiB", 0) * MB_PER_MIB,
                from.number("hotSeconds", 1),
                from.number("coldMiBPerSecond", 0) * MB_PER_MIB,
                from.number("pinnedMiB", 0) * MB_PER_MIB);
    }
}
