package io.godwit.agent;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.lease.LeaseKeeper;
import io.godwit.agent.lease.Leasing;
import io.godwit.agent.lease.SuspendClock;
import io.godwit.agent.qemu.HostProcesses;
import io.godwit.agent.qemu.QemuHost;
import io.godwit.agent.qemu.QemuSettings;
import io.godwit.agent.transport.IncomingConnection;
import io.godwit.agent.transport.IncomingListener;
import io.godwit.agent.transport.TcpConnector;
import io.godwit.agent.transport.TransportSettings;
import io.godwit.device.DeviceModels;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.migration.ResumePath;
import io.godwit.migration.SavePath;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.Names;
import io.godwit.proto.cluster.Quorum;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.stream.Pacer;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamWriter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One host's agent as a process: actor system, data plane, migration listener. The only place that makes real threads,
 * clocks and sockets for it. */
public final class HostNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HostNode.class);

    private final ActorSystem<?> system;
    private final Uplink uplink;
    private final IncomingListener listener;
    private final List<AutoCloseable> resources;
    private final DataEndpoint endpoint;

    private HostNode(
            ActorSystem<?> system,
            Uplink uplink,
            IncomingListener listener,
            List<AutoCloseable> resources,
            DataEndpoint endpoint) {
        this.system = system;
        this.uplink = uplink;
        this.listener = listener;
        this.resources = resources;
        this.endpoint = endpoint;
    }

    /**
     * Starts the agent and lets it join; returns when it has tested itself and serves, which may
     * be before it has joined.
     *
     * @throws IOException when the data folder belongs to another host, a port is taken, or the self-test fails: which,
     *     and why
     */
    public static HostNode start(HostOptions options) throws IOException {
        HostIdentity.claim(options.dataDir(), options.id());
        MonotonicClock clock = System::nanoTime;
        Config config = config(options);
        FileRunLog runLog = new FileRunLog(options.dataDir().resolve("runs.log"), clock);
        ExecutorService dataPlane = Executors.newCachedThreadPool(daemons("data-plane"));
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(1, daemons("ticker"));
        List<AutoCloseable> resources = List.of(timer::shutdownNow, dataPlane::shutdownNow, runLog);
        // where streams go: to the self-test while it runs, then to the agent
        AtomicReference<@Nullable ActorRef<HostAgent.Command>> front = new AtomicReference<>();
        StreamSettings streams = StreamSettings.from(config);
        TransportSettings transport = TransportSettings.from(config);
        IncomingListener listener = IncomingListener.open(
                new InetSocketAddress(options.address(), options.dataPort()),
                transport,
                dataPlane,
                (delay, task) -> {
                    ScheduledFuture<?> scheduled = timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
                    return () -> scheduled.cancel(false);
                },
                connection -> greet(connection, streams, front.get()));
        DataEndpoint endpoint =
                new DataEndpoint(options.address(), listener.address().getPort());
        TcpConnector connector = new TcpConnector(transport);
        Pacer pacer = Pacer.parking(clock);
        SavePath.StreamOpener opener = (to, bandwidth) -> {
            StreamWriter writer = new StreamWriter(connector.connect(to), streams, pacer);
            writer.rateLimit(bandwidth);
            return writer;
        };
        LeaseKeeper leases = new LeaseKeeper(SuspendClock.open(), clock);
        Drivers drivers = Drivers.detect(config, clock, daemons("vcpu"), leases::permit);
        Optional<QemuHost> qemu = qemu(options, drivers, QemuSettings.from(config));
        Uplink uplink;
        try {
            uplink = Uplink.open(config, options);
        } catch (IOException e) {
            listener.close();
            close(resources);
            throw e;
        }
        CompletableFuture<Done> serving = new CompletableFuture<>();
        // no node of the cluster: whatever becomes of that, the guests live here
        ActorSystem<HostGuardian.Command> system = ActorSystem.create(
                Behaviors.setup(context -> new HostGuardian(
                                context,
                                options,
                                drivers,
                                qemu,
                                new HostPorts(
                                        options.id(),
                                        endpoint,
                                        DeviceModels.standard(config),
                                        new ScheduledDeviceTicker(timer, clock),
                                        opener,
                                        dataPlane,
                                        clock,
                                        new LearntDowntime(MigrationSettings.from(config)),
                                        runLog,
                                        MigrationSettings.from(config),
                                        context.spawn(uplink.reports(), "reports"),
                                        context.spawn(
                                                uplink.ledger(config.getDuration("godwit.host.ledger-timeout")),
                                                "ledger")),
                                context.spawn(uplink.fleet(), "fleet"),
                                new Leasing(
                                        leases,
                                        context.spawn(
                                                uplink.leases(config.getDuration("godwit.host.ledger-timeout")),
                                                "leases")),
                                HostSettings.from(config),
                                front,
                                serving,
                                uplink::serve)
                        .testing()),
                "guests",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(config));
        HostNode node = new HostNode(system, uplink, listener, resources, endpoint);
        node.awaitServing(options, serving);
        return node;
    }

    private void awaitServing(HostOptions options, CompletableFuture<Done> serving) throws IOException {
        try {
            serving.join();
        } catch (CompletionException e) {
            close();
            throw new IOException("the self-test of host " + options.id() + " failed: " + rootMessage(e), e);
        }
    }

    /** Where it takes migration streams. */
    public DataEndpoint endpoint() {
        return endpoint;
    }

    /** Port of the cluster connection. */
    public int clusterPort() {
        return uplink.port();
    }

    /** Completes when the guests' actor system has ended, by {@link #close()} or a failed self-test. */
    public CompletionStage<Done> ended() {
        return system.getWhenTerminated();
    }

    /** Leaves the cluster and frees everything, the guests included. */
    @Override
    public void close() {
        // no command comes in from here on
        uplink.close();
        system.terminate();
        try {
            system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
            listener.close();
        } catch (Exception e) {
            LOG.warn("stopping: {}", e.toString());
        }
        close(resources);
    }

    /** Reads who a connection is and hands it to the agent, or turns it away with the reason. Blocks. */
    static void greet(
            IncomingConnection connection, StreamSettings settings, @Nullable ActorRef<HostAgent.Command> agent) {
        StreamReader reader = new StreamReader(connection.channel(), settings);
        try {
            Preamble preamble = reader.readPreamble();
            if (agent == null) {
                ResumePath.refuse(reader, "the agent is still starting");
            } else if (connection.identified()) {
                agent.tell(new HostAgent.StreamArrived(preamble, reader));
            }
        } catch (IOException e) {
            LOG.warn("refused a connection from {}: {}", reader.peer(), e.getMessage());
            ResumePath.refuse(reader, String.valueOf(e.getMessage()));
        }
    }

    private static Config config(HostOptions options) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("pekko.remote.artery.canonical.hostname", options.address());
        settings.put("pekko.remote.artery.canonical.port", options.clusterPort());
        settings.put(
                "pekko.cluster.role.coordinator.min-nr-of-members",
                Quorum.of(options.seedNodes().size()));
        settings.put(
                "pekko.cluster.seed-nodes",
                options.seedNodes().stream()
                        .map(seed -> "pekko://" + Names.SYSTEM + "@" + seed)
                        .toList());
        return ConfigFactory.parseMap(settings, "command line")
                .withFallback(ConfigFactory.parseResourcesAnySyntax("godwit-host"))
                .withFallback(ConfigFactory.load())
                .resolve();
    }

    private static Optional<QemuHost> qemu(HostOptions options, Drivers drivers, QemuSettings settings) {
        return HostProcesses.lookUp(settings.binary())
                .map(binary -> QemuHost.real(
                        binary,
                        options.dataDir().resolve("qemu"),
                        drivers.kvm().available(),
                        drivers.kvm().detail(),
                        settings));
    }

    private static ThreadFactory daemons(String name) {
        return Thread.ofPlatform().daemon().name(name + "-", 1).factory();
    }

    private static void close(List<AutoCloseable> resources) {
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                LOG.warn("stopping: {}", e.toString());
            }
        }
    }

    private static String rootMessage(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}
