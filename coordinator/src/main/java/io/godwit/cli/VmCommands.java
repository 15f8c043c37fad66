package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.fleet.VmHistory;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import io.godwit.units.Units;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vm list|show|create|destroy|check|owner}. */
public final class VmCommands {
    private VmCommands() {}

    /** {@code vm}. */
    @Command(
            name = "vm",
            description = "Shows, creates, checks and destroys VMs.",
            subcommands = {
                ListVms.class,
                ShowVm.class,
                VmCreateCommand.class,
                DestroyVm.class,
                CheckVm.class,
                ShowOwner.class
            })
    public static final class VmGroup extends Group {}

    /** {@code vm list}. */
    @Command(name = "list", description = "Lists every VM.")
    public static final class ListVms implements Callable<Integer> {
        private final Shell shell;

        ListVms(Shell shell) {
            this.shell = shell;
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("vms"));
            shell.print(answer, () -> {
                Table table = new Table("VM", "STATE", "HOST", "DRIVER", ">MEMORY", "DEVICES", ">EPOCH", "MIGRATION");
                answer.path("vms").forEach(node -> row(table, client.view(node, VmView.class)));
                return table.render();
            });
            return ExitCode.OK;
        }
    }

    /** {@code vm show}. */
    @Command(name = "show", description = "Shows one VM.")
    public static final class ShowVm extends OneVm {
        @Option(
                names = "--history",
                description = "Show who owned it when and why it moved, and what each of its devices saw.")
        boolean history;

        ShowVm(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            if (history) {
                JsonNode past = client.get(ApiClient.path("vms", vm, "history"));
                shell.print(past, () -> HistoryText.describe(client.view(past, VmHistory.class)));
                return ExitCode.OK;
            }
            JsonNode answer = client.get(ApiClient.path("vms", vm));
            shell.print(answer, () -> describe(client.view(answer, VmView.class)));
            return ExitCode.OK;
        }
    }

    /** {@code vm destroy}. */
    @Command(name = "destroy", description = "Stops a VM and destroys it.")
    public static final class DestroyVm extends OneVm {
        DestroyVm(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            JsonNode answer = shell.client().delete(ApiClient.path("vms", vm));
            shell.print(answer, () -> "VM " + vm + " is destroyed\n");
            return ExitCode.OK;
        }
    }

    /** {@code vm check}. */
    @Command(
            name = "check",
            description = "Checks in guest memory that no write of the guest or its devices was lost or doubled.")
    public static final class CheckVm extends OneVm {
        CheckVm(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.post(ApiClient.path("vms", vm, "check"), null);
            GuestCheck check = client.view(answer, GuestCheck.class);
            shell.print(
                    answer,
                    () -> new Table("VM", "RULE", ">GUEST WRITES", ">DMA WRITES", "DETAIL")
                            .row(
                                    vm,
                                    check.holds() ? "holds" : "BROKEN",
                                    String.valueOf(check.guestWrites()),
                                    String.valueOf(check.dmaWrites()),
                                    check.detail())
                            .render());
            if (!check.holds()) {
                throw CliFailure.failed("VM " + vm + ": its memory breaks the guest's rule: " + check.detail());
            }
            return ExitCode.OK;
        }
    }

    /** {@code vm owner}. */
    @Command(name = "owner", description = "Shows what the ledger says: who may run a VM.")
    public static final class ShowOwner extends OneVm {
        ShowOwner(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("vms", vm, "ownership"));
            OwnershipView owner = client.view(answer, OwnershipView.class);
            if (owner.epoch() == 0 && owner.host().isEmpty()) {
                throw CliFailure.usage("no VM '" + vm + "': the ledger has never heard of it");
            }
            shell.print(answer, () -> {
                return new Table("VM", "HOST", ">EPOCH", "HANDOFF", "WAITING")
                        .row(
                                vm,
                                owner.host().orElse("-"),
                                String.valueOf(owner.epoch()),
                                owner.handoff()
                                        .map(open -> open.migration() + ": " + open.from() + " -> " + open.to())
                                        .orElse("-"),
                                owner.waiting()
                                        .map(why -> "to be started anew: " + why)
                                        .orElse("-"))
                        .render();
            });
            return ExitCode.OK;
        }
    }

    /** A command about one VM. */
    abstract static class OneVm implements Callable<Integer> {
        final Shell shell;

        @Parameters(paramLabel = "VM", description = "Name of the VM.")
        String vm = "";

        OneVm(Shell shell) {
            this.shell = shell;
        }
    }

    private static void row(Table table, VmView vm) {
        table.row(
                vm.spec().name(),
                vm.state(),
                vm.host().orElse("-"),
                vm.spec().driver(),
                Units.size(vm.spec().memoryBytes()),
                vm.spec().devices().stream().map(DeviceSpec::name).collect(Collectors.joining(",")),
                String.valueOf(vm.epoch()),
                vm.migration().orElse("-"));
    }

    /** A VM for people. */
    static String describe(VmView vm) {
        VmSpec spec = vm.spec();
        Table facts = new Table("VM", spec.name());
        facts.row("state", vm.state() + vm.failure().map(why -> ": " + why).orElse(""))
                .row("host", vm.host().orElse("-"))
                .row("epoch", String.valueOf(vm.epoch()))
                .row("migration", vm.migration().orElse("-"))
                .row("driver", spec.driver())
                .row("memory", Units.size(spec.memoryBytes()))
                .row("vcpus", String.valueOf(spec.vcpus()))
                .row(
                        "working set",
                        Units.size(spec.workload().workingSetBytes()) + " at "
                                + Units.size(spec.workload().dirtyBytesPerSecond()) + "/s")
                .row("blackout budget", spec.blackoutBudgetMs() + " ms")
                .row("convergence", spec.convergence())
                .row("ha", spec.ha());
        spec.qemu().ifPresent(qemu -> QemuText.rows(facts, qemu));
        if (spec.devices().isEmpty()) {
            return facts.render();
        }
        Table devices = new Table("DEVICE", "MODEL", "CONTAINER", ">STATE", ">PINNED", ">DMA", "REPORTING");
        for (DeviceSpec device : spec.devices()) {
            devices.row(
                    device.name(),
                    device.model(),
                    container(spec.container(device.container())),
                    Units.size(device.stateBytes()),
                    Units.size(device.pinnedBytes()),
                    Units.size(device.dmaBytesPerSecond()) + "/s",
                    device.dirtyReporting());
        }
        return facts.render() + "\n" + devices.render();
    }

    private static String container(ContainerSpec container) {
        if (!container.viommu()) {
            return container.name();
        }
        return container.name() + " (vIOMMU"
                + (container.remapBytesPerSecond() > 0
                        ? ", remapped at " + Units.size(container.remapBytesPerSecond()) + "/s)"
                        : ")");
    }
}
