package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.FenceBody;
import io.godwit.fleet.Fenced;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.units.Units;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code host list|show|cordon|uncordon}. */
public final class HostCommands {
    private HostCommands() {}

    /** {@code host} without the agent: the distribution's launcher puts its own in its place. */
    @Command(
            name = "host",
            description = "Shows hosts and keeps new VMs off them.",
            subcommands = {ListHosts.class, ShowHost.class, Cordon.class, Uncordon.class, Fence.class})
    public static final class HostGroup extends Group {}

    /** {@code host list}. */
    @Command(name = "list", description = "Lists every host.")
    public static final class ListHosts implements Callable<Integer> {
        private final Shell shell;

        ListHosts(Shell shell) {
            this.shell = shell;
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("hosts"));
            shell.print(answer, () -> {
                Table table = new Table(
                        "HOST", "STATE", "CORDONED", ">AGE", ">VMS", ">USED", ">MEMORY", "DEVICES", "DRIVERS");
                answer.path("hosts").forEach(node -> row(table, client.view(node, HostView.class)));
                return table.render();
            });
            return ExitCode.OK;
        }
    }

    /** {@code host show}. */
    @Command(name = "show", description = "Shows one host and its VMs.")
    public static final class ShowHost extends OneHost {
        ShowHost(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("hosts", host));
            shell.print(answer, () -> describe(client.view(answer, HostView.class)));
            return ExitCode.OK;
        }
    }

    /** {@code host cordon}. */
    @Command(name = "cordon", description = "Keeps new VMs off a host.")
    public static final class Cordon extends OneHost {
        Cordon(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            JsonNode answer = shell.client().post(ApiClient.path("hosts", host, "cordon"), null);
            shell.print(answer, () -> "host " + host + " is cordoned\n");
            return ExitCode.OK;
        }
    }

    /** {@code host uncordon}. */
    @Command(name = "uncordon", description = "Lets new VMs on a host again.")
    public static final class Uncordon extends OneHost {
        Uncordon(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            JsonNode answer = shell.client().post(ApiClient.path("hosts", host, "uncordon"), null);
            shell.print(answer, () -> "host " + host + " takes new VMs\n");
            return ExitCode.OK;
        }
    }

    /** {@code host fence}. */
    @Command(
            name = "fence",
            description = "Restarts the VMs of a host that is off from their specs on other hosts: with empty memory.")
    public static final class Fence extends OneHost {
        @Option(
                names = "--confirmed-down",
                required = true,
                description = "You have seen to it that the host is off. If it is not, its VMs run twice.")
        boolean confirmedDown;

        Fence(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.post(ApiClient.path("hosts", host, "fence"), new FenceBody(confirmedDown));
            Fenced fenced = client.view(answer, Fenced.class);
            shell.print(answer, () -> {
                Table table = new Table("VM", "STATE", "DETAIL");
                fenced.vms().forEach(vm -> table.row(vm.vm(), vm.state(), vm.detail()));
                return fenced.vms().isEmpty() ? "no VM belongs to host " + host + "\n" : table.render();
            });
            return fenced.vms().stream().allMatch(vm -> vm.state().equals("RESTARTED")) ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    /** A command about one host. */
    abstract static class OneHost implements Callable<Integer> {
        final Shell shell;

        @Parameters(paramLabel = "HOST", description = "Id of the host.")
        String host = "";

        OneHost(Shell shell) {
            this.shell = shell;
        }
    }

    private static void row(Table table, HostView host) {
        Optional<HostInventory> inventory = host.inventory();
        table.row(
                host.host(),
                host.state(),
                host.cordoned() ? "yes" : "no",
                inventory.map(_ -> host.ageMs() + " ms").orElse("-"),
                inventory.map(i -> String.valueOf(i.vms().size())).orElse("-"),
                inventory.map(i -> Units.size(used(i))).orElse("-"),
                inventory.map(i -> Units.size(i.capacity().memoryBytes())).orElse("-"),
                inventory.map(HostCommands::devices).orElse("-"),
                inventory.map(i -> String.join(",", i.drivers())).orElse("-"));
    }

    private static String describe(HostView host) {
        Table facts = new Table("HOST", host.host());
        facts.row("state", host.state()).row("cordoned", host.cordoned() ? "yes" : "no");
        if (host.inventory().isEmpty()) {
            return facts.render();
        }
        HostInventory inventory = host.inventory().get();
        facts.row("age", host.ageMs() + " ms")
                .row(
                        "memory",
                        Units.size(used(inventory)) + " of "
                                + Units.size(inventory.capacity().memoryBytes()) + " in use")
                .row("devices", devices(inventory))
                .row("drivers", String.join(",", inventory.drivers()))
                .row("incoming", "at most " + inventory.capacity().incomingMax() + " at a time")
                .row("outgoing", "at most " + inventory.capacity().outgoingMax() + " at a time")
                .row("migration data", inventory.endpoint().toString());
        Table vms = new Table("VM", "STATE", "DRIVER", ">MEMORY", ">EPOCH", "MIGRATION");
        for (VmStatus vm : inventory.vms()) {
            vms.row(
                    vm.spec().name(),
                    vm.incoming()
                            ? vm.runState() + " (incoming)"
                            : vm.runState().name(),
                    vm.spec().driver(),
                    Units.size(vm.spec().memoryBytes()),
                    String.valueOf(vm.epoch()),
                    vm.migration().orElse("-"));
        }
        return facts.render() + (inventory.vms().isEmpty() ? "" : "\n" + vms.render());
    }

    private static long used(HostInventory inventory) {
        return inventory.vms().stream().mapToLong(vm -> vm.spec().memoryBytes()).sum();
    }

    /** Devices in use and in the pool, by model, such as {@code gpu 6/8}. */
    private static String devices(HostInventory inventory) {
        Map<String, Long> used = inventory.vms().stream()
                .flatMap(vm -> vm.spec().devices().stream())
                .collect(Collectors.groupingBy(device -> device.model(), Collectors.counting()));
        return new TreeMap<>(inventory.capacity().devices())
                .entrySet().stream()
                        .map(pool -> pool.getKey() + " " + used.getOrDefault(pool.getKey(), 0L) + "/" + pool.getValue())
                        .collect(Collectors.joining(", "));
    }
}
