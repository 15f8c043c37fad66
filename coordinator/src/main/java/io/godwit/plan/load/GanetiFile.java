package io.godwit.plan.load;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.TransferModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Ganeti's text files, as {@code hbal -t} reads them: five sections parted by blank lines (groups, nodes, instances, cluster tags,
 * instance policies), fields parted by {@code |}, sizes in MiB. Nodes that are offline are the ones to empty. An instance on
 * DRBD goes to its secondary only, one on shared storage anywhere in its group, one on a local disk nowhere. The files say nothing of
 * the network: every node gets one port of 10 Gbit/s. Plain or gzip.
 */
public final class GanetiFile {
    private static final Set<String> SHARED = Set.of("ext", "rbd", "sharedfile", "gluster", "blockdev", "diskless");
    private static final long PORT_MBIT = 10_000;
    private static final String SWITCH = "switch";
    /** Ganeti's default (constants.IPOLICY_DEFAULTS). */
    private static final double DEFAULT_VCPU_RATIO = 4;

    private final String file;
    private final List<List<Line>> sections = new ArrayList<>();
    private final Map<String, String> groupOf = new HashMap<>();
    private final Map<String, Double> ratios = new HashMap<>();

    private record Line(int number, List<String> fields) {}

    private GanetiFile(String file, String text) {
        this.file = file;
        sections.add(new ArrayList<>());
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            if (line.isBlank()) {
                sections.add(new ArrayList<>());
            } else {
                sections.getLast().add(new Line(number, List.of(line.strip().split("\\|", -1))));
            }
        }
        if (sections.size() < 3) {
            throw new InputProblem(file + ": " + sections.size()
                    + " sections parted by blank lines; expected groups, nodes, instances, tags and policies");
        }
    }

    /**
     * Reads a file.
     *
     * @throws InputProblem naming the file, the line, the field and what was expected
     */
    public static PlanCase read(Path path) {
        GanetiFile ganeti = new GanetiFile(path.toString(), new String(InputBytes.read(path), StandardCharsets.UTF_8));
        try {
            return ganeti.plan();
        } catch (IllegalArgumentException e) {
            throw new InputProblem(path + ": " + e.getMessage());
        }
    }

    private PlanCase plan() {
        policies();
        List<PlanHost> hosts = new ArrayList<>();
        List<Link> links = new ArrayList<>();
        Set<String> drained = new HashSet<>();
        for (Line line : sections.get(1)) {
            String name = text(line, 0, "name");
            String group = text(line, 8, "group");
            groupOf.put(name, group);
            boolean offline = text(line, 7, "offline").equals("Y");
            if (offline) {
                drained.add(name);
            }
            double ratio = ratios.getOrDefault(group, ratios.getOrDefault("", DEFAULT_VCPU_RATIO));
            long memory = number(line, 1, "tmem") - number(line, 2, "nmem");
            hosts.add(new PlanHost(
                    name,
                    Map.of("memory", Math.max(0, memory), "cpu", (long) (number(line, 6, "tcpu") * ratio)),
                    0,
                    0,
                    offline ? "is offline" : "",
                    PlanHost.UNLIMITED,
                    PlanHost.UNLIMITED,
                    group,
                    Set.of("group:" + group)));
            links.add(new Link(name, SWITCH, PORT_MBIT));
        }
        List<PlanVm> vms = new ArrayList<>();
        for (Line line : sections.get(2)) {
            vms.add(vm(line));
        }
        return new PlanCase(
                hosts,
                vms,
                new Network(Map.of(SWITCH, Network.UNLIMITED), links, List.of()),
                List.of(),
                TransferModel.STANDARD,
                drained,
                Map.of(),
                Long.MAX_VALUE);
    }

    private PlanVm vm(Line line) {
        String name = text(line, 0, "name");
        long memory = number(line, 1, "mem");
        String node = text(line, 6, "pnode");
        String secondary = text(line, 7, "snode");
        String template = text(line, 8, "disk_template");
        String immovable = "";
        Set<String> only = Set.of();
        if (template.equals("drbd")) {
            only = Set.of(secondary, node);
        } else if (!SHARED.contains(template)) {
            immovable = "its disk is local (" + template + ")";
        }
        return new PlanVm(
                name,
                node,
                Map.of("memory", memory, "cpu", number(line, 3, "vcpus")),
                RamProfile.idle((double) memory),
                Long.MAX_VALUE,
                0,
                immovable,
                only,
                Set.of("group:" + groupOf.getOrDefault(node, "")),
                Set.of());
    }

    /** Owner (empty for the cluster, else a group's name) and its ratio of virtual to real cores. */
    private void policies() {
        Map<String, String> uuids = new HashMap<>();
        sections.getFirst().forEach(line -> uuids.put(text(line, 0, "name"), text(line, 1, "uuid")));
        for (Line line : sections.size() > 4 ? sections.get(4) : List.<Line>of()) {
            if (line.fields().size() > 4) {
                try {
                    String owner = line.fields().getFirst();
                    ratios.put(
                            uuids.getOrDefault(owner, owner),
                            Double.parseDouble(line.fields().get(4)));
                } catch (NumberFormatException e) {
                    throw InputProblem.line(
                            file,
                            line.number(),
                            "field 'vcpu_ratio': '" + line.fields().get(4) + "'; expected a number");
                }
            }
        }
    }

    private String text(Line line, int at, String field) {
        if (line.fields().size() <= at) {
            throw InputProblem.line(
                    file,
                    line.number(),
                    "field '" + field + "' is missing: " + line.fields().size() + " fields; expected " + (at + 1)
                            + " at least");
        }
        return line.fields().get(at);
    }

    private long number(Line line, int at, String field) {
        String text = text(line, at, field);
        try {
            return (long) Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw InputProblem.line(file, line.number(), "field '" + field + "': '" + text + "'; expected a number");
        }
    }
}
