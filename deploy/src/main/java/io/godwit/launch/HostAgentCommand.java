package io.godwit.launch;

import io.godwit.agent.HostNode;
import io.godwit.agent.HostOptions;
import io.godwit.cli.CliFailure;
import io.godwit.cli.Converters;
import io.godwit.cli.HostCommands;
import io.godwit.cli.Shell;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code host}: runs the agent of this host; below it the commands about hosts. */
@Command(
        name = "host",
        description = "Runs the agent of a host in the foreground; or shows hosts and keeps new VMs off them.",
        sortOptions = false,
        subcommands = {
            HostCommands.ListHosts.class,
            HostCommands.ShowHost.class,
            HostCommands.Cordon.class,
            HostCommands.Uncordon.class,
            HostCommands.Fence.class
        })
public final class HostAgentCommand implements Callable<Integer> {
    private final Shell shell;

    // not required for picocli: 'host list' needs neither
    @Option(names = "--id", paramLabel = "HOST", description = "Id of this host, unique in the fleet.")
    @Nullable
    String id;

    @Option(
            names = "--seed",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "Cluster address of a coordinator. May be repeated: name all of them.")
    List<String> seeds = new ArrayList<>();

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = Converters.Bytes.class,
            description = "Guest RAM that may be given out, such as 8GiB.")
    @Nullable
    Long memoryBytes;

    @Option(
            names = "--device-pool",
            paramLabel = "MODEL=N",
            description = "Devices of a model, such as gpu=8. May be repeated.")
    Map<String, Integer> devices = new LinkedHashMap<>();

    @Option(names = "--address", defaultValue = "127.0.0.1", description = "Address to be reached at (127.0.0.1).")
    String address = "";

    @Option(names = "--cluster-port", defaultValue = "0", description = "Port of the cluster (0: any free one).")
    int clusterPort;

    @Option(names = "--data-port", defaultValue = "0", description = "Port for migrations (0: any free one).")
    int dataPort;

    @Option(names = "--data", defaultValue = "godwit-host", description = "Data folder (godwit-host).")
    Path data = Path.of("");

    @Option(names = "--incoming-max", defaultValue = "2", description = "Migrations taken at a time (2).")
    int incomingMax;

    @Option(names = "--outgoing-max", defaultValue = "2", description = "Migrations sent at a time (2).")
    int outgoingMax;

    @Option(names = "--guest", defaultValue = "auto", description = "Driver for VMs that say auto: auto, kvm or soft.")
    String guest = "";

    @Option(names = "--die-with-parent", hidden = true, description = "End when standard input does.")
    boolean dieWithParent;

    HostAgentCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (id == null || memoryBytes == null || seeds.isEmpty()) {
            throw CliFailure.usage("'godwit host' needs --id, --seed and --memory to run an agent, or a command:"
                    + " list, show, cordon, uncordon or fence");
        }
        for (String seed : seeds) {
            if (!seed.matches(".+:\\d{1,5}")) {
                throw CliFailure.usage("--seed '" + seed + "'; expected HOST:PORT, such as 127.0.0.1:25520");
            }
        }
        Foreground.requireFree("--cluster-port", address, clusterPort);
        Foreground.requireFree("--data-port", address, dataPort);
        HostOptions options = new HostOptions(
                id, address, clusterPort, dataPort, seeds, data, memoryBytes, devices, incomingMax, outgoingMax, guest);
        try (DataFolder _ = DataFolder.lock(data)) {
            return run(options);
        }
    }

    private int run(HostOptions options) throws InterruptedException {
        HostNode node;
        try {
            node = HostNode.start(options);
        } catch (IOException | RuntimeException e) {
            throw CliFailure.failed("host " + options.id() + " did not start: " + e.getMessage());
        }
        String ready = "godwit host " + options.id() + " ready: cluster " + address + ":" + node.clusterPort()
                + ", data " + node.endpoint();
        return new Foreground(shell, dieWithParent).run(ready, node.ended(), node::close);
    }
}
