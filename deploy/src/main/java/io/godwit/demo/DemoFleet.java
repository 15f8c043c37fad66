package io.godwit.demo;

import io.godwit.cli.ApiClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The processes of the demo: one coordinator, and a host agent per host, each with its own folder and log. */
public final class DemoFleet implements AutoCloseable {
    private static final Pattern COORDINATOR_READY =
            Pattern.compile("godwit coordinator ready: http \\S+:(\\d+), cluster (\\S+:\\d+)");
    private static final Pattern HOST_READY = Pattern.compile("godwit host \\S+ ready: .*");

    private final Path folder;
    private final DemoSettings settings;
    private final List<String> jvmOptions;
    private final String classPath;
    private final List<Child> children = new ArrayList<>();
    private String clusterPort = "0";
    private boolean stopped;

    /**
     * Not started yet.
     *
     * @param folder where each process has its folder and its log
     * @param jvmOptions flags of every process
     * @param classPath where io.godwit.launch.Main is found
     */
    public DemoFleet(Path folder, DemoSettings settings, List<String> jvmOptions, String classPath) {
        this.folder = folder;
        this.settings = settings;
        this.jvmOptions = jvmOptions;
        this.classPath = classPath;
    }

    /** Starts all of them and returns a client of the coordinator once each says that it is ready. */
    public ApiClient start(DemoOptions options) throws IOException, InterruptedException {
        Child coordinator = launch(
                "coordinator",
                List.of("coordinator", "--port", "0", "--cluster-port", "0", "--data", folderOf("coordinator")));
        Matcher ready = coordinator.awaitReady(COORDINATOR_READY, settings.startLimit());
        clusterPort = ready.group(2).substring(ready.group(2).lastIndexOf(':') + 1);
        List<Child> agents = new ArrayList<>();
        for (int i = 1; i <= options.hosts(); i++) {
            String id = "host-" + i;
            agents.add(launch(id, hostArguments(id, ready.group(2), options)));
        }
        for (Child agent : agents) {
            agent.awaitReady(HOST_READY, settings.startLimit());
        }
        return new ApiClient(
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(),
                "http://127.0.0.1:" + ready.group(1),
                settings.evacuationLimit());
    }

    /** Starts a killed coordinator again, with the ports and the data folder it had. */
    void restartCoordinator(ApiClient client) throws IOException, InterruptedException {
        launch(
                        "coordinator",
                        List.of(
                                "coordinator",
                                "--port",
                                String.valueOf(URI.create(client.url()).getPort()),
                                "--cluster-port",
                                clusterPort,
                                "--data",
                                folderOf("coordinator")))
                .awaitReady(COORDINATOR_READY, settings.startLimit());
    }

    private List<String> hostArguments(String id, String seed, DemoOptions options) {
        // room for every VM on any host, so that the evacuation is bounded by work and not by places
        long memory = options.memoryBytes() * options.vms();
        return List.of(
                "host",
                "--id",
                id,
                "--seed",
                seed,
                "--memory",
                String.valueOf(memory),
                "--data",
                folderOf(id),
                "--device-pool",
                "gpu=" + options.vms(),
                "--device-pool",
                "vnic=" + options.vms(),
                "--device-pool",
                "nic=" + options.vms(),
                "--guest",
                options.guest());
    }

    /** Where a host's agent writes down when VMs ran. */
    Path runLog(String host) {
        return folder.resolve(host).resolve("runs.log");
    }

    /** Where the logs are. */
    Path logs() {
        return folder;
    }

    private String folderOf(String name) {
        return folder.resolve(name).toString();
    }

    /** Not once the fleet is being stopped: what is started after that nobody would stop. */
    private synchronized Child launch(String name, List<String> arguments) throws IOException {
        if (stopped) {
            throw new IOException("the demo is being stopped");
        }
        Child child = Child.start(name, folder, jvmOptions, classPath, arguments);
        children.add(child);
        return child;
    }

    /**
     * Process id of the one of that name.
     *
     * @throws IllegalArgumentException when there is none
     */
    public synchronized long pid(String name) {
        return children.stream()
                .filter(child -> child.name().equals(name))
                .reduce((_, last) -> last)
                .orElseThrow(() -> new IllegalArgumentException("no process named " + name))
                .pid();
    }

    /** A process that has ended without being asked, if any. */
    synchronized List<String> dead() {
        return children.stream()
                .filter(child -> !child.alive())
                .map(Child::name)
                .toList();
    }

    /** Kills the process of that name as a power cut would: it gets to say nothing. */
    synchronized void kill(String name) {
        children.stream().filter(child -> child.name().equals(name)).forEach(Child::close);
    }

    @Override
    public void close() {
        stop();
    }

    /** Stops all of them, hosts first; may be called from a shutdown hook, and twice. */
    synchronized void stop() {
        stopped = true;
        children.reversed().forEach(Child::ask);
        try {
            for (Child child : children.reversed()) {
                child.await(settings.stopLimit());
            }
        } catch (InterruptedException e) {
            children.forEach(Child::close);
            Thread.currentThread().interrupt();
        }
    }
}
