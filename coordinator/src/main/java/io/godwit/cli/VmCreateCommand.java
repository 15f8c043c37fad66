package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.VmBody;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vm create}. */
@Command(name = "create", description = "Creates a VM and runs it.", sortOptions = false)
public final class VmCreateCommand implements Callable<Integer> {
    private final Shell shell;

    @Parameters(paramLabel = "NAME", description = "Name of the VM, unique in the fleet.")
    String name = "";

    @Option(
            names = "--memory",
            required = true,
            paramLabel = "SIZE",
            converter = Converters.Bytes.class,
            description = "Guest RAM, a multiple of 2 MiB, such as 256MiB.")
    long memoryBytes;

    @Option(names = "--vcpus", defaultValue = "1", paramLabel = "N", description = "1 to 4 (default 1).")
    int vcpus;

    @Option(
            names = "--driver",
            defaultValue = "auto",
            paramLabel = "DRIVER",
            description = "auto (default: kvm where it works, else soft), kvm, soft or qemu.")
    String driver = "auto";

    @Option(names = "--host", paramLabel = "HOST", description = "Where (default: the first that fits).")
    @Nullable
    String host;

    @Option(
            names = "--device",
            paramLabel = "MODEL[,key=value...]",
            description = "A device of a host's pool (gpu, nic, vnic), such as gpu,name=gpu0,state=16MiB,pinned=8MiB,"
                    + "dma=4MiB/s. Keys: name, container, state, state-rate, pinned, dma, reporting. May be repeated.")
    List<String> devices = new ArrayList<>();

    @Option(
            names = "--container",
            paramLabel = "name=NAME[,key=value...]",
            description = "A memory container of devices that is more than the default, such as name=c0,viommu=true,"
                    + "remap=64MiB/s (how fast the guest maps anew what is pinned). May be repeated.")
    List<String> containers = new ArrayList<>();

    @Option(
            names = "--working-set",
            defaultValue = "0",
            paramLabel = "SIZE",
            converter = Converters.Bytes.class,
            description = "Memory the guest program writes (default 0: idle).")
    long workingSetBytes;

    @Option(
            names = "--dirty-rate",
            defaultValue = "0",
            paramLabel = "RATE",
            converter = Converters.Rate.class,
            description = "How fast, such as 20MiB/s (default 0: as fast as it can).")
    long dirtyBytesPerSecond;

    @Option(names = "--fill", description = "Fill all RAM with a pattern first.")
    boolean fill;

    @Option(
            names = "--budget",
            defaultValue = "300ms",
            paramLabel = "TIME",
            converter = Converters.Millis.class,
            description = "Longest standstill its owner accepts (default 300ms).")
    long blackoutBudgetMs;

    @Option(
            names = "--convergence",
            paramLabel = "POLICY|LADDER",
            description = "What to do when it does not converge, whatever its migrations say: a policy's name, or steps"
                    + " such as 'wait:10s, throttle:30%%:10s, give-up'.")
    @Nullable
    String convergence;

    @Option(
            names = "--ha",
            defaultValue = VmSpec.LEAVE,
            paramLabel = "POLICY",
            description =
                    "When its host is gone: leave it to a person (leave, the default), or start it anew from its"
                            + " spec on another host once it is certain that it runs no more (restart). Its memory is lost then.")
    String ha = VmSpec.LEAVE;

    @Mixin
    QemuOptions qemu = new QemuOptions();

    VmCreateCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        List<VmBody.Device> parsed = new ArrayList<>();
        for (String device : devices) {
            parsed.add(DeviceOption.parse(device, parsed.size()));
        }
        VmBody body = new VmBody(
                name,
                host,
                driver,
                memoryBytes,
                vcpus,
                new VmBody.Workload(workingSetBytes, dirtyBytesPerSecond, fill),
                parsed,
                blackoutBudgetMs,
                containers.stream().map(ContainerOption::parse).toList(),
                convergence,
                qemu.body(driver),
                ha);
        ApiClient client = shell.client();
        JsonNode answer = client.post(ApiClient.path("vms"), body);
        shell.print(answer, () -> VmCommands.describe(client.view(answer, VmView.class)));
        return ExitCode.OK;
    }
}
