package io.godwit.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.EvacuationBody;
import io.godwit.api.OptionsBody;
import io.godwit.api.QemuBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.cli.CliFailure;
import io.godwit.cli.Shell;
import io.godwit.cli.Surroundings;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.RunState;
import io.godwit.units.Units;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** The demo's course: start, create, run, evacuate, run on, look. What it saw is judged by {@link DemoChecks}. */
final class Demo {
    private static final String DRAINED = "host-1";
    private static final long MIB = 1L << 20;
    private static final long DIRTY_BYTES_PER_SECOND = 20 * MIB;

    /** Digests of a quarter of a GiB, taken while a guest stands still, are too much for the default on slow or busy cores. */
    private static final long BUDGET_MS = 1000;

    private static final OptionsBody OPTIONS =
            new OptionsBody(null, null, null, null, null, "wait:1s, downtime:budget");

    private final Shell shell;
    private final Surroundings around;
    private final DemoOptions options;
    private final DemoSettings settings;
    private final DemoFleet fleet;

    Demo(Shell shell, DemoOptions options, DemoSettings settings, DemoFleet fleet) {
        this.shell = shell;
        this.around = shell.surroundings();
        this.options = options;
        this.settings = settings;
        this.fleet = fleet;
    }

    DemoOutcome run() throws IOException, InterruptedException {
        long began = around.clock().nanoTime();
        shell.say("starting a coordinator and " + options.hosts() + " hosts ...");
        ApiClient client = fleet.start(options);
        await("all hosts to be up", settings.startLimit(), () -> hosts(client), this::allUp);
        shell.say("creating " + options.vms() + " VMs of " + Units.size(options.memoryBytes()) + " on " + DRAINED
                + " ...");
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= options.vms(); i++) {
            names.add("vm-" + i);
            client.post(ApiClient.path("vms"), vm("vm-" + i, i));
        }
        Map<String, GuestCheck> before = options.qemu() ? booted(client, names) : Map.of();
        around.pause().of(settings.warmUp());
        shell.say("evacuating " + DRAINED + " ...");
        EvacuationView evacuation = evacuate(client);
        shell.say("letting the guests run on, then checking ...");
        Map<String, GuestCheck> first = checkGuests(client, names);
        around.pause().of(settings.runOn());
        Map<String, GuestCheck> second = checkGuests(client, names);
        Map<String, OwnershipView> owners = new TreeMap<>();
        for (String name : names) {
            owners.put(name, client.view(client.get(ApiClient.path("vms", name, "ownership")), OwnershipView.class));
        }
        Map<String, List<String>> running = settled(client, owners);
        Map<String, List<String>> witnessed = options.qemu() ? witnessed(names) : Map.of();
        Map<String, MigrationView> migrations = migrations(client, evacuation);
        RunLog log = new RunLog();
        for (int i = 1; i <= options.hosts(); i++) {
            if (Files.exists(fleet.runLog("host-" + i))) {
                log.read("host-" + i, fleet.runLog("host-" + i));
            }
        }
        var seen = new DemoChecks.Seen(evacuation, migrations, first, second, owners, running, log, fleet.dead());
        DemoChecks judge = new DemoChecks(DRAINED, names);
        List<Check> checks = options.qemu()
                ? new QemuDemoChecks(judge).judge(seen, new QemuDemoChecks.Sources(before, witnessed))
                : judge.judge(seen);
        long total = (around.clock().nanoTime() - began) / 1_000_000;
        return new DemoOutcome(evacuation, migrations, second, owners, running, checks, total);
    }

    /** The check of each guest's memory where it was created, once it has booted. */
    private Map<String, GuestCheck> booted(ApiClient client, List<String> names) throws InterruptedException {
        shell.say("waiting for the guests to boot ...");
        return await(
                "all guests to have booted",
                settings.bootLimit(),
                () -> checkGuests(client, names),
                checks -> checks.values().stream().allMatch(check -> check.holds() && check.guestWrites() > 0));
    }

    private Map<String, List<String>> witnessed(List<String> names) throws InterruptedException {
        List<String> hosts = new ArrayList<>();
        for (int i = 1; i <= options.hosts(); i++) {
            hosts.add("host-" + i);
        }
        Map<String, List<String>> running = new TreeMap<>();
        for (String name : names) {
            running.put(name, fleet.witness().running(name, hosts));
        }
        return running;
    }

    private VmBody vm(String name, int number) {
        if (options.qemu()) {
            return new VmBody(
                    name,
                    DRAINED,
                    options.guest(),
                    options.memoryBytes(),
                    1,
                    new VmBody.Workload(options.memoryBytes() / 4, DIRTY_BYTES_PER_SECOND, false),
                    List.of(),
                    BUDGET_MS,
                    null,
                    null,
                    QemuBody.bootSector(QemuWitness.ARGUMENTS));
        }
        return new VmBody(
                name,
                DRAINED,
                options.guest(),
                options.memoryBytes(),
                1,
                new VmBody.Workload(options.memoryBytes() / 4, DIRTY_BYTES_PER_SECOND, true),
                devices(number),
                BUDGET_MS);
    }

    /** In turn: a GPU and a virtual NIC beside it; a NIC of protocol v1, which can only be alone; a GPU alone. */
    private static List<VmBody.Device> devices(int number) {
        VmBody.Device gpu = new VmBody.Device("gpu0", "gpu", null, 16 * MIB, null, 4 * MIB, 4 * MIB, null);
        return switch (number % 3) {
            case 1 -> List.of(gpu, new VmBody.Device("vnic0", "vnic", null, 64L << 10, null, null, null, null));
            case 2 -> List.of(new VmBody.Device("nic0", "nic", null, 64L << 10, null, MIB, MIB, null));
            default -> List.of(gpu);
        };
    }

    private EvacuationView evacuate(ApiClient client) throws InterruptedException {
        String id = client.view(
                        client.post(
                                ApiClient.path("evacuations"), new EvacuationBody(List.of(DRAINED), false, OPTIONS)),
                        EvacuationView.class)
                .id();
        return await(
                "the evacuation to end",
                settings.evacuationLimit(),
                () -> client.view(client.get(ApiClient.path("evacuations", id)), EvacuationView.class),
                view -> view.state().equals("COMPLETED") || view.state().equals("FAILED"));
    }

    private static Map<String, GuestCheck> checkGuests(ApiClient client, List<String> names) {
        Map<String, GuestCheck> checks = new TreeMap<>();
        for (String name : names) {
            try {
                checks.put(
                        name, client.view(client.post(ApiClient.path("vms", name, "check"), null), GuestCheck.class));
            } catch (CliFailure e) {
                // a VM that cannot be checked is a result of the demo, not the end of it
                checks.put(name, new GuestCheck(false, 0, 0, String.valueOf(e.getMessage())));
            }
        }
        return checks;
    }

    private static Map<String, MigrationView> migrations(ApiClient client, EvacuationView evacuation) {
        Map<String, MigrationView> migrations = new TreeMap<>();
        for (EvacuationView.VmRow row : evacuation.vms()) {
            if (!row.migrations().isEmpty()) {
                JsonNode last =
                        client.get(ApiClient.path("migrations", row.migrations().getLast()));
                migrations.put(row.vm(), client.view(last, MigrationView.class));
            }
        }
        return migrations;
    }

    private static List<HostView> hosts(ApiClient client) {
        List<HostView> hosts = new ArrayList<>();
        client.get(ApiClient.path("hosts")).path("hosts").forEach(node -> hosts.add(client.view(node, HostView.class)));
        return hosts;
    }

    private boolean allUp(List<HostView> hosts) {
        return hosts.stream()
                        .filter(host ->
                                host.state().equals("UP") && host.inventory().isPresent())
                        .count()
                >= options.hosts();
    }

    /** Where each VM runs once the hosts' reports agree with the ledger; else, after a while, what they say then. */
    private Map<String, List<String>> settled(ApiClient client, Map<String, OwnershipView> owners)
            throws InterruptedException {
        long began = around.clock().nanoTime();
        while (true) {
            Map<String, List<String>> running = running(hosts(client));
            boolean agree = owners.entrySet().stream()
                    .allMatch(owner -> owner.getValue().host().stream()
                            .toList()
                            .equals(running.getOrDefault(owner.getKey(), List.of())));
            if (agree
                    || around.clock().nanoTime() - began
                            > settings.settleLimit().toNanos()) {
                return running;
            }
            around.pause().of(settings.pollInterval());
        }
    }

    private static Map<String, List<String>> running(List<HostView> hosts) {
        Map<String, List<String>> running = new HashMap<>();
        for (HostView host : hosts) {
            host.inventory()
                    .ifPresent(inventory -> inventory.vms().stream()
                            .filter(vm -> vm.runState() == RunState.RUNNING)
                            .forEach(vm -> running.computeIfAbsent(vm.spec().name(), _ -> new ArrayList<>())
                                    .add(host.host())));
        }
        return running;
    }

    private <T> T await(String what, Duration limit, Supplier<T> look, Predicate<T> good) throws InterruptedException {
        long began = around.clock().nanoTime();
        while (true) {
            T seen = look.get();
            if (good.test(seen)) {
                return seen;
            }
            if (!fleet.dead().isEmpty()) {
                throw CliFailure.failed("waiting for " + what + ": " + String.join(", ", fleet.dead())
                        + " ended; its log: " + fleet.logs());
            }
            if (around.clock().nanoTime() - began > limit.toNanos()) {
                throw CliFailure.failed(
                        "waited " + limit.toSeconds() + " s for " + what + "; logs are in " + fleet.logs());
            }
            around.pause().of(settings.pollInterval());
        }
    }
}
