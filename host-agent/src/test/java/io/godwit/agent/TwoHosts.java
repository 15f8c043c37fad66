package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.lease.LeaseKeeper;
import io.godwit.agent.lease.Leasing;
import io.godwit.agent.transport.IncomingListener;
import io.godwit.agent.transport.TcpConnector;
import io.godwit.agent.transport.TransportSettings;
import io.godwit.device.Device;
import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceHistory;
import io.godwit.device.DeviceModels;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.stream.MigrationChannel;
import io.godwit.stream.Pacer;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.RunLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.awaitility.Awaitility;

/**
 * Two host agents with real guests and real sockets on loopback; the test plays coordinator and ledger. What the agents
 * report comes to {@link #reports}; progress reports are left out.
 */
final class TwoHosts implements AutoCloseable {
    static final long MIB = 1 << 20;
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final ActorTestKit kit = ActorTestKit.create("hosts", config());
    final TestProbe<MigrationMessage> reports = kit.createTestProbe("reports");
    final TestProbe<OwnershipCommand> ledger = kit.createTestProbe("ledger");
    /** Takes what the agents ask the lender of leases; nothing but VMs that may only run under one need it. */
    final TestProbe<LeaseCommand> lender = kit.createTestProbe("lender");
    /** What leases are measured by, nanoseconds. */
    final AtomicLong leaseTime = new AtomicLong();

    final ExecutorService dataPlane = Executors.newCachedThreadPool(daemons("data-plane"));
    /** When the vCPUs of the only VM ran, and on which host: {@code host-a runs under 1}, {@code host-a stops under 1}. */
    final List<String> runs = new CopyOnWriteArrayList<>();

    /** Every stream that the agents open comes by here first. */
    final Gate connecting = new Gate();

    /** Whatever is written to a stream comes by here. */
    final Gate sending = new Gate();

    final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1, daemons("ticker"));
    private final List<StreamWriter> opened = new CopyOnWriteArrayList<>();
    final Agent a;
    final Agent b;

    /** One agent. */
    record Agent(
            String id,
            ActorRef<HostAgent.Command> ref,
            DataEndpoint endpoint,
            TestProbe<FleetCommand> fleet,
            IncomingListener listener) {
        void tell(HostCommand command) {
            ref.tell(new HostAgent.Asked(command));
        }
    }

    TwoHosts() throws IOException {
        this("");
    }

    /** With these settings of the agents. */
    TwoHosts(String overrides) throws IOException {
        this(overrides, _ -> new DeviceFaults(), _ -> new DeviceFaults(), DeviceModels::withFaults);
    }

    interface Models {
        DeviceModels make(Config config, Function<String, DeviceFaults> faults);
    }

    /** With fault switches for the devices of each host, by device name. */
    TwoHosts(Function<String, DeviceFaults> faultsOfA, Function<String, DeviceFaults> faultsOfB, Models modelsOfB)
            throws IOException {
        this("", faultsOfA, faultsOfB, modelsOfB);
    }

    private TwoHosts(
            String overrides,
            Function<String, DeviceFaults> faultsOfA,
            Function<String, DeviceFaults> faultsOfB,
            Models modelsOfB)
            throws IOException {
        Config config = ConfigFactory.parseString(overrides).withFallback(config());
        a = agent(config, "host-a", DeviceModels.withFaults(config, faultsOfA));
        b = agent(config, "host-b", modelsOfB.make(config, faultsOfB));
    }

    static Config config() {
        return ConfigFactory.parseString("""
                        pekko.actor.provider = local
                        godwit.migration.tick = 20 ms
                        # a test that limits the bandwidth wants it slow from the first byte on
                        godwit.migration.bandwidth-probe = 0 s
                        godwit.migration.ledger-poll = 200 ms
                        godwit.device.hook-timeout = 4 s
                        """).withFallback(ConfigFactory.load());
    }

    static VmSpec spec(String name, String driver, long memoryMib, List<DeviceSpec> devices) {
        return new VmSpec(name, driver, memoryMib * MIB, 2, new WorkloadSpec(8 * MIB, 8 * MIB, true), devices, 1000);
    }

    static DeviceSpec gpu(String name) {
        return new DeviceSpec(name, "gpu", "container-0", 4 * MIB, 2 * MIB, 2 * MIB, MIB, "PERSISTENT");
    }

    /** With P2P and without pre-copy: may be beside others. */
    static DeviceSpec vnic(String name) {
        return new DeviceSpec(name, "vnic", "container-0", 64 * 1024, 16 * 1024, MIB, MIB, "PERSISTENT");
    }

    /** Of protocol v1, without P2P: must be alone. */
    static DeviceSpec nic(String name) {
        return new DeviceSpec(name, "nic", "container-0", 64 * 1024, 16 * 1024, MIB, MIB, "PERSISTENT");
    }

    /** The limits a migration of a VM of {@link #spec} begins with. */
    static SaveLimits limits(MigrationOptions options) {
        return SaveLimits.first(options, 1000);
    }

    static MigrationOptions options() {
        return new MigrationOptions(500, true, 0, 10_000);
    }

    private MigrationChannel gated(MigrationChannel channel) {
        return new MigrationChannel() {
            @Override
            public void write(ByteBuffer[] buffers, int offset, int length) throws IOException {
                sending.pass();
                channel.write(buffers, offset, length);
            }

            @Override
            public int read(ByteBuffer into) throws IOException {
                return channel.read(into);
            }

            @Override
            public String peer() {
                return channel.peer();
            }

            @Override
            public void close() throws IOException {
                channel.close();
                // as a socket does: whoever writes fails, it does not hang
                sending.turnBack();
            }
        };
    }

    /** Changes only: a run, or a stop, is recorded whenever somebody makes sure of it. */
    private RunLog runLog(String host) {
        AtomicBoolean runsNow = new AtomicBoolean();
        return new RunLog() {
            @Override
            public void running(String vm, long epoch) {
                if (!runsNow.getAndSet(true)) {
                    runs.add(host + " runs under " + epoch);
                }
            }

            @Override
            public void stopped(String vm, long epoch) {
                if (runsNow.getAndSet(false)) {
                    runs.add(host + " stops under " + epoch);
                }
            }
        };
    }

    private Agent agent(Config config, String id, DeviceModels models) throws IOException {
        StreamSettings streams = StreamSettings.from(config);
        TransportSettings transport = TransportSettings.from(config);
        CompletableFuture<ActorRef<HostAgent.Command>> ref = new CompletableFuture<>();
        IncomingListener listener = IncomingListener.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                transport,
                dataPlane,
                (delay, task) -> {
                    ScheduledFuture<?> scheduled = timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
                    return () -> scheduled.cancel(false);
                },
                connection -> HostNode.greet(connection, streams, ref.join()));
        DataEndpoint endpoint = new DataEndpoint("127.0.0.1", listener.address().getPort());
        TcpConnector connector = new TcpConnector(transport);
        HostPorts ports = new HostPorts(
                id,
                endpoint,
                models,
                new ScheduledDeviceTicker(timer, System::nanoTime),
                (to, limit) -> {
                    connecting.pass();
                    sending.reset();
                    StreamWriter writer =
                            new StreamWriter(gated(connector.connect(to)), streams, Pacer.parking(System::nanoTime));
                    writer.rateLimit(limit);
                    opened.add(writer);
                    return writer;
                },
                dataPlane,
                System::nanoTime,
                new LearntDowntime(MigrationSettings.from(config)),
                runLog(id),
                MigrationSettings.from(config),
                reports.ref(),
                ledger.ref());
        TestProbe<FleetCommand> fleet = kit.createTestProbe("fleet-" + id);
        LeaseKeeper leases = new LeaseKeeper(leaseTime::get, System::nanoTime);
        ActorRef<HostAgent.Command> agent = kit.spawn(
                HostAgent.create(
                        "incarnation-of-" + id,
                        new HostCapacity(512 * MIB, Map.of("gpu", 2, "vnic", 2, "nic", 2), 2, 2),
                        Drivers.detect(config, System::nanoTime, daemons("vcpu"), leases::permit),
                        Optional.empty(),
                        Optional.of(new Leasing(leases, lender.ref())),
                        Drivers.AUTO,
                        ports,
                        fleet.ref(),
                        HostSettings.from(config)),
                id);
        ref.complete(agent);
        return new Agent(id, agent, endpoint, fleet, listener);
    }

    /** Cuts every stream that the agents have opened. */
    void cut() throws IOException {
        for (StreamWriter stream : opened) {
            stream.close();
        }
    }

    /** What each hook did to a device of the only VM of {@code agent}, oldest first. */
    List<DeviceHistory.Entry> history(Agent agent, String device) {
        TestProbe<Device.Reply> probe = kit.createTestProbe();
        Adapter.toClassic(kit.system())
                .actorSelection(agent.ref().path().toStringWithoutAddress() + "/*/device-" + device)
                .tell(new Device.Describe(probe.ref()), org.apache.pekko.actor.ActorRef.noSender());
        return probe.expectMessageClass(Device.Described.class, PATIENCE).history();
    }

    /** Creates a VM on host a under epoch 1 and waits until it runs. */
    void create(VmSpec spec) {
        TestProbe<HostReply> probe = kit.createTestProbe();
        a.tell(new HostCommand.CreateVm(spec, 1, probe.ref()));
        assertThat(probe.receiveMessage(PATIENCE)).isInstanceOf(HostReply.VmChanged.class);
    }

    /** The next report of that kind; progress is skipped, anything else fails the test. */
    <T extends MigrationMessage> T await(Class<T> kind) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            MigrationMessage message =
                    reports.receiveMessage(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (kind.isInstance(message)) {
                return kind.cast(message);
            }
            assertThat(message).as("while waiting for %s", kind.getSimpleName()).isInstanceOf(SaveProgress.class);
        }
    }

    GuestCheck check(Agent agent, String vm) {
        TestProbe<HostReply> probe = kit.createTestProbe();
        agent.tell(new HostCommand.CheckVm(vm, probe.ref()));
        HostReply reply = probe.receiveMessage(PATIENCE);
        assertThat(reply).isInstanceOf(HostReply.VmChecked.class);
        return ((HostReply.VmChecked) reply).check();
    }

    /** Asks for a check until it is not refused any more: a device that hung is back once its late hook has returned. */
    void awaitCheckable(Agent agent, String vm) {
        Awaitility.await().atMost(PATIENCE).until(() -> {
            TestProbe<HostReply> probe = kit.createTestProbe();
            agent.tell(new HostCommand.CheckVm(vm, probe.ref()));
            return probe.receiveMessage(PATIENCE) instanceof HostReply.VmChecked;
        });
    }

    HostReply.VmDescribed describe(Agent agent, String vm) {
        TestProbe<HostReply> probe = kit.createTestProbe();
        agent.tell(new HostCommand.DescribeVm(vm, probe.ref()));
        HostReply reply = probe.receiveMessage(PATIENCE);
        assertThat(reply).isInstanceOf(HostReply.VmDescribed.class);
        return (HostReply.VmDescribed) reply;
    }

    /** The next inventory of the agent that satisfies {@code wanted}. */
    HostInventory inventory(Agent agent, java.util.function.Predicate<HostInventory> wanted) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            FleetCommand command =
                    agent.fleet().receiveMessage(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (command instanceof FleetCommand.ReportHost(var inventory) && wanted.test(inventory)) {
                return inventory;
            }
        }
    }

    private static ThreadFactory daemons(String name) {
        return Thread.ofPlatform().daemon().name(name + "-", 1).factory();
    }

    @Override
    public void close() throws IOException {
        a.listener().close();
        b.listener().close();
        kit.shutdownTestKit();
        timer.shutdownNow();
        dataPlane.shutdownNow();
    }
}
