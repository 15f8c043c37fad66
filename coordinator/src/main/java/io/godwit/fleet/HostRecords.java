package io.godwit.fleet;

import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the hosts have reported to this incarnation of FleetView, and what the cluster says of their agents. In memory
 * only: hosts report again. Times are nanoseconds of one monotonic clock.
 */
final class HostRecords {
    /** What the receptionist says of a host's agent. */
    enum Listed {
        /** Listed, and the cluster reaches it. */
        REACHABLE,
        /** Listed, but the cluster has lost sight of it. */
        UNREACHABLE,
        /** Not listed, or not any more. */
        ABSENT
    }

    private record Entry(HostInventory inventory, long atNanos, Optional<String> formerIncarnation, Listed listed) {
        Entry with(Listed now) {
            return new Entry(inventory, atNanos, formerIncarnation, now);
        }
    }

    private record LastSeen(String host, long epoch, String incarnation) {}

    private final long freshNanos;
    private final Map<String, Entry> hosts = new TreeMap<>();
    private final Map<String, LastSeen> lastSeen = new HashMap<>();
    private Map<String, String> notes = Map.of();

    /** @param freshNanos a report no older than this shows by itself that its host is up */
    HostRecords(long freshNanos) {
        this.freshNanos = freshNanos;
    }

    boolean knows(String host) {
        return hosts.containsKey(host);
    }

    /** Takes a report; false when it is older than what is known. */
    boolean report(HostInventory inventory, long nowNanos) {
        Entry known = hosts.get(inventory.host());
        if (known == null) {
            hosts.put(inventory.host(), new Entry(inventory, nowNanos, Optional.empty(), Listed.ABSENT));
        } else if (known.inventory().incarnation().equals(inventory.incarnation())) {
            if (inventory.sequence() <= known.inventory().sequence()) {
                return false;
            }
            hosts.put(inventory.host(), new Entry(inventory, nowNanos, known.formerIncarnation(), known.listed()));
        } else if (known.formerIncarnation()
                .filter(inventory.incarnation()::equals)
                .isPresent()) {
            return false;
        } else {
            hosts.put(
                    inventory.host(),
                    new Entry(inventory, nowNanos, Optional.of(known.inventory().incarnation()), known.listed()));
        }
        for (VmStatus vm : inventory.vms()) {
            if (!vm.incoming()) {
                lastSeen.merge(
                        vm.spec().name(),
                        new LastSeen(inventory.host(), vm.epoch(), inventory.incarnation()),
                        (old, now) -> now.epoch() >= old.epoch() ? now : old);
            }
        }
        return true;
    }

    /** Hosts that have reported. */
    int heard() {
        return hosts.size();
    }

    void listed(String host, Listed listed) {
        hosts.computeIfPresent(host, (_, entry) -> entry.with(listed));
    }

    void forget(String vm) {
        lastSeen.remove(vm);
    }

    /** What is being done about VMs that do not run, by name; replaces what was said before. */
    void note(Map<String, String> now) {
        notes = Map.copyOf(now);
    }

    /** The whole fleet, sorted by name. */
    FleetShown show(FleetState lasting, long nowNanos) {
        var names = new TreeSet<>(hosts.keySet());
        names.addAll(lasting.cordoned());
        List<HostView> hostViews = new ArrayList<>();
        for (String name : names) {
            Entry entry = hosts.get(name);
            boolean cordoned = lasting.cordoned().contains(name);
            hostViews.add(
                    entry == null
                            ? new HostView(name, "UNREACHABLE", cordoned, 0, Optional.empty())
                            : new HostView(
                                    name,
                                    stateOf(entry, nowNanos),
                                    cordoned,
                                    (nowNanos - entry.atNanos()) / 1_000_000,
                                    Optional.of(entry.inventory())));
        }
        Map<String, VmSpec> specs = new TreeMap<>();
        lasting.vms().forEach(spec -> specs.put(spec.name(), spec));
        hosts.values()
                .forEach(entry -> entry.inventory()
                        .vms()
                        .forEach(vm -> specs.putIfAbsent(vm.spec().name(), vm.spec())));
        Map<String, List<Reported>> reported = reported();
        List<VmView> vmViews = specs.values().stream()
                .map(spec -> vmView(spec, reported.getOrDefault(spec.name(), List.of()), nowNanos))
                .toList();
        return new FleetShown(hostViews, vmViews);
    }

    /** What one host says of a VM. */
    private record Reported(Entry entry, VmStatus status) {}

    /** All that hosts say of VMs, by VM, in the order of the hosts. */
    private Map<String, List<Reported>> reported() {
        Map<String, List<Reported>> reported = new HashMap<>();
        for (Entry entry : hosts.values()) {
            for (VmStatus status : entry.inventory().vms()) {
                reported.computeIfAbsent(status.spec().name(), _ -> new ArrayList<>(2))
                        .add(new Reported(entry, status));
            }
        }
        return reported;
    }

    private String stateOf(Entry entry, long nowNanos) {
        // the listing travels another way than the report, and may come after it
        boolean fresh = nowNanos - entry.atNanos() <= freshNanos;
        return switch (entry.listed()) {
            case REACHABLE -> "UP";
            case UNREACHABLE -> "UNREACHABLE";
            case ABSENT -> fresh ? "UP" : "DOWN";
        };
    }

    /** A VM is where the highest epoch says; a copy that is still being loaded does not count, but names its migration. */
    private VmView vmView(VmSpec spec, List<Reported> all, long nowNanos) {
        Optional<String> migration = Optional.empty();
        Entry best = null;
        VmStatus bestStatus = null;
        for (Reported said : all) {
            Entry entry = said.entry();
            VmStatus status = said.status();
            if (status.migration().isPresent() && !stateOf(entry, nowNanos).equals("DOWN")) {
                migration = status.migration();
            }
            if (!status.incoming()
                    && (bestStatus == null || best == null || better(status, entry, bestStatus, best, nowNanos))) {
                best = entry;
                bestStatus = status;
            }
        }
        if (best == null || bestStatus == null) {
            return unseen(spec, migration);
        }
        String host = best.inventory().host();
        VmSpec reported = bestStatus.spec();
        return switch (stateOf(best, nowNanos)) {
            case "UP" ->
                new VmView(
                        reported,
                        bestStatus.runState().name(),
                        Optional.of(host),
                        bestStatus.epoch(),
                        migration,
                        bestStatus.failure());
            case "DOWN" -> {
                boolean mayRun = reported.outlivesAgent();
                yield new VmView(
                        reported,
                        mayRun ? "UNKNOWN" : "LOST",
                        Optional.of(host),
                        bestStatus.epoch(),
                        migration,
                        Optional.of(
                                mayRun
                                        ? "host " + host + "'s agent is away; its QEMU may still run the VM"
                                                + noted(spec)
                                        : "host " + host
                                                + "'s agent is gone, and the VM with it unless the host is only cut off; "
                                                + whatNow(spec, host)));
            }
            default ->
                new VmView(
                        reported,
                        "UNKNOWN",
                        Optional.of(host),
                        bestStatus.epoch(),
                        migration,
                        Optional.of("host " + host + " is unreachable" + noted(spec)));
        };
    }

    private String noted(VmSpec spec) {
        String note = notes.get(spec.name());
        return note == null ? "" : "; " + note;
    }

    /** A native guest that is lost stays so unless its policy, or a person, has it started anew. */
    private String whatNow(VmSpec spec, String host) {
        String note = notes.get(spec.name());
        if (note != null) {
            return note;
        }
        return spec.restarts()
                ? "its policy is restart: it is started anew from its spec once that is certain to be safe"
                : "its policy is leave: destroy it once its host is back, or once that is known to be off 'host fence "
                        + host + " --confirmed-down'";
    }

    private boolean better(VmStatus a, Entry atA, VmStatus b, Entry atB, long nowNanos) {
        boolean downA = stateOf(atA, nowNanos).equals("DOWN");
        boolean downB = stateOf(atB, nowNanos).equals("DOWN");
        return downA == downB ? a.epoch() > b.epoch() : downB;
    }

    private VmView unseen(VmSpec spec, Optional<String> migration) {
        LastSeen last = lastSeen.get(spec.name());
        Entry host = last == null ? null : hosts.get(last.host());
        // an agent that has let it go, to a host that has yet to report it, is still the one that had it
        if (last != null
                && host != null
                && !last.incarnation().equals(host.inventory().incarnation())
                && migration.isEmpty()) {
            return new VmView(
                    spec,
                    "LOST",
                    Optional.of(last.host()),
                    last.epoch(),
                    migration,
                    Optional.of("host " + last.host() + "'s agent was started anew without it; "
                            + whatNow(spec, last.host())));
        }
        return new VmView(
                spec, "MISSING", Optional.empty(), 0, migration, Optional.of("no host reports it" + noted(spec)));
    }
}
