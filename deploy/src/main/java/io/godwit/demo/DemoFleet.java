package io.godwit.demo;

import io.godwit.cli.ApiClient;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The processes of the demo: coordinators, their store, and a host agent per host, each with its own folder and log. */
public final class DemoFleet implements AutoCloseable {
    private static final Pattern COORDINATOR_READY =
            Pattern.compile("godwit coordinator ready: http \\S+:(\\d+), cluster (\\S+:\\d+)");
    private static final Pattern HOST_READY = Pattern.compile("godwit host \\S+ ready: .*");

    private record Ports(int http, int cluster) {}

    private final Path folder;
    private final DemoSettings settings;
    private final List<String> jvmOptions;
    private final String classPath;
    private final DemoNetwork network;
    private final List<Child> children = new ArrayList<>();
    private final Map<String, Ports> coordinators = new LinkedHashMap<>();
    private final Map<String, List<String>> hosts = new LinkedHashMap<>();
    private List<String> seeds = List.of();
    private @Nullable EmbeddedPostgres store;
    private boolean stopped;

    /**
     * Not started yet.
     *
     * @param folder where each process has its folder and its log
     * @param jvmOptions flags of every process
     * @param classPath where io.godwit.launch.Main is found
     */
    public DemoFleet(Path folder, DemoSettings settings, List<String> jvmOptions, String classPath) {
        this(folder, settings, jvmOptions, classPath, DemoNetwork.LOOPBACK);
    }

    /** As the other one; {@code network} says where each process runs. */
    public DemoFleet(
            Path folder, DemoSettings settings, List<String> jvmOptions, String classPath, DemoNetwork network) {
        this.network = network;
        this.folder = folder;
        this.settings = settings;
        this.jvmOptions = jvmOptions;
        this.classPath = classPath;
    }

    /** Starts all of them and returns a client of the coordinators once each says that it is ready. */
    public ApiClient start(DemoOptions options) throws IOException, InterruptedException {
        startStore(options.coordinators());
        for (int i = 1; i <= options.coordinators(); i++) {
            coordinators.put(
                    options.coordinators() == 1 ? "coordinator" : "coordinator-" + i,
                    new Ports(freePort(), freePort()));
        }
        seeds = coordinators.entrySet().stream()
                .map(one -> network.address(one.getKey()) + ":" + one.getValue().cluster())
                .toList();
        Map<Child, Pattern> awaited = new LinkedHashMap<>();
        for (String name : coordinators.keySet()) {
            awaited.put(launch(name, coordinatorArguments(name)), COORDINATOR_READY);
        }
        for (int i = 1; i <= options.hosts(); i++) {
            String id = "host-" + i;
            List<String> arguments = hostArguments(id, options);
            hosts.put(id, arguments);
            awaited.put(launch(id, arguments), HOST_READY);
        }
        for (Map.Entry<Child, Pattern> one : awaited.entrySet()) {
            var _ = one.getKey().awaitReady(one.getValue(), settings.startLimit());
        }
        return new ApiClient(
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(),
                coordinators.keySet().stream().map(this::url).collect(Collectors.joining(",")),
                settings.evacuationLimit());
    }

    /** Whoever takes it meanwhile makes the start fail, with a clear word. */
    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void startStore(int coordinators) throws IOException {
        if (coordinators > 1) {
            store = EmbeddedPostgres.builder()
                    .setDataDirectory(folder.resolve("store"))
                    .setPGStartupWait(settings.startLimit())
                    .setServerConfig("listen_addresses", "localhost," + network.storeAddress())
                    .start();
            if (!network.equals(DemoNetwork.LOOPBACK)) {
                letIn(store);
            }
        }
    }

    /** Only from this machine: else it believes whoever comes from its own addresses. */
    private void letIn(EmbeddedPostgres started) throws IOException {
        Files.writeString(
                folder.resolve("store").resolve("pg_hba.conf"),
                "\nhost all all samenet trust\n",
                StandardOpenOption.APPEND);
        try (Connection connection = started.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_reload_conf()");
        } catch (SQLException e) {
            throw new IOException("the store does not take its settings: " + e.getMessage(), e);
        }
    }

    private List<String> coordinatorArguments(String name) {
        Ports ports = ports(name);
        List<String> arguments = new ArrayList<>(List.of(
                "coordinator",
                "--address",
                network.address(name),
                "--bind",
                network.address(name),
                "--port",
                String.valueOf(ports.http()),
                "--cluster-port",
                String.valueOf(ports.cluster()),
                "--data",
                folderOf(name)));
        if (store != null) {
            arguments.addAll(List.of("--seed", String.join(",", seeds), "--store", storeUrl(network.storeAddress())));
        }
        return arguments;
    }

    /**
     * Address of the store that the coordinators share.
     *
     * @throws IllegalStateException when there is none: one coordinator has a file
     */
    public String storeUrl() {
        return storeUrl("127.0.0.1");
    }

    private String storeUrl(String address) {
        if (store == null) {
            throw new IllegalStateException("one coordinator shares its store with nobody");
        }
        return "jdbc:postgresql://" + address + ":" + store.getPort() + "/postgres?user=postgres";
    }

    private Ports ports(String coordinator) {
        Ports ports = coordinators.get(coordinator);
        if (ports == null) {
            throw new IllegalArgumentException("no coordinator named " + coordinator);
        }
        return ports;
    }

    /** Starts a killed process again, with the ports and the data folder it had; returns when it is ready. */
    public void restart(String name) throws IOException, InterruptedException {
        List<String> arguments = hosts.get(name);
        Child again = launch(name, arguments == null ? coordinatorArguments(name) : arguments);
        var _ = again.awaitReady(arguments == null ? COORDINATOR_READY : HOST_READY, settings.startLimit());
    }

    /** Names of the coordinators. */
    public List<String> coordinators() {
        return List.copyOf(coordinators.keySet());
    }

    /** Address of the HTTP API of one coordinator. */
    public String url(String coordinator) {
        return "http://" + network.address(coordinator) + ":"
                + ports(coordinator).http();
    }

    private List<String> hostArguments(String id, DemoOptions options) {
        // room for every VM on any host, so that the evacuation is bounded by work and not by places
        long memory = options.memoryBytes() * options.vms();
        return List.of(
                "host",
                "--id",
                id,
                "--address",
                network.address(id),
                "--seed",
                String.join(",", seeds),
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
                // what a native VM is here that does not say
                options.qemu() ? "auto" : options.guest());
    }

    /** Where a host's agent writes down when VMs ran. */
    public Path runLog(String host) {
        return folder.resolve(host).resolve("runs.log");
    }

    /** Asks the QEMUs of the hosts themselves. */
    QemuWitness witness() {
        return new QemuWitness(folder, settings.stopLimit());
    }

    /** What a process says; goes on when it is started again. */
    public Path log(String name) {
        return folder.resolve(name + ".log");
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
        Child child =
                Child.start(name, folder, command -> network.command(name, command), jvmOptions, classPath, arguments);
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
    public synchronized void kill(String name) {
        children.stream().filter(child -> child.name().equals(name)).forEach(Child::close);
    }

    /** Stops the process of that name in the middle of whatever it does ({@code go} false), or lets it go on. */
    public void signal(String name, boolean go) throws IOException, InterruptedException {
        int exit = new ProcessBuilder("kill", go ? "-CONT" : "-STOP", String.valueOf(pid(name)))
                .start()
                .waitFor();
        if (exit != 0) {
            throw new IOException("no signal to " + name + ": kill ended with " + exit);
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Stops all of them, hosts first, and their QEMUs after them; may be called from a shutdown hook, and twice. */
    synchronized void stop() {
        stopped = true;
        children.reversed().forEach(Child::ask);
        try (EmbeddedPostgres _ = store) {
            for (Child child : children.reversed()) {
                child.await(settings.stopLimit());
            }
        } catch (InterruptedException e) {
            children.forEach(Child::close);
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // a store that does not stop is the demo's last worry: its files go with the folder
        }
        witness().endAll();
    }
}
