package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.qemu.QemuHost;
import io.godwit.agent.qemu.QemuSettings;
import io.godwit.agent.qemu.UnixQmpLink;
import io.godwit.device.DeviceModels;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.awaitility.Awaitility;

/**
 * Two host agents with real QEMU processes (TCG, 150 MiB, no disk) in folders of their own; the test plays the coordinator,
 * and a ledger in memory decides. Every QEMU has a third monitor, for the test to look at it.
 */
final class TwoQemuHosts implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    static final String VM = "vm-1";
    static final long MIB = 1 << 20;
    static final Duration PATIENCE = Duration.ofSeconds(30);
    /** A third of a minute for a pass over an idle guest's RAM, which goes out as 9 bytes a page. */
    static final long SLOW = 16 << 10;

    final ActorTestKit kit = ActorTestKit.create("qemu-hosts", config());
    final TestProbe<MigrationMessage> reports = kit.createTestProbe("reports");
    final ActorRef<OwnershipCommand> ledger = kit.spawn(OneVmLedger.create(VM, "host-a"), "ledger");
    final List<String> runs = new CopyOnWriteArrayList<>();
    private final ExecutorService dataPlane = Executors.newCachedThreadPool();
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final Path binary;
    private final Path root;
    private final Config config;
    private final boolean kvm;
    private final Map<String, TestProbe<FleetCommand>> fleets =
            Map.of("host-a", kit.createTestProbe("fleet-a"), "host-b", kit.createTestProbe("fleet-b"));
    Agent a;
    Agent b;

    /** One agent. */
    record Agent(String id, ActorRef<HostAgent.Command> ref, Path folder) {
        void tell(HostCommand command) {
            ref.tell(new HostAgent.Asked(command));
        }
    }

    /** A Unix socket's path is short: {@code root} must be, too. */
    TwoQemuHosts(Path root) {
        this(root, "", false);
    }

    /** With more settings, and with KVM. */
    TwoQemuHosts(Path root, String settings, boolean kvm) {
        this.binary = QemuAvailable.binary();
        this.root = root;
        this.config = ConfigFactory.parseString(settings).withFallback(config());
        this.kvm = kvm;
        this.a = agent("host-a", "");
        this.b = agent("host-b", "");
    }

    static Config config() {
        return ConfigFactory.parseString("""
                        pekko.actor.provider = local
                        godwit.migration.ledger-poll = 200 ms
                        godwit.qemu.tick = 50 ms
                        # a guest that writes a few pages by a rule has lost none so far, and KVM is not everywhere
                        godwit.qemu.tcg-live = true
                        godwit.qemu.switchover-timeout = 2 s
                        godwit.qemu.recover-delay = 500 ms
                        # a second connect while the first is still under way breaks what it is to mend
                        godwit.qemu.recover-interval = 5 s
                        godwit.qemu.qmp.reconnect-interval = 50 ms
                        """).withFallback(ConfigFactory.load());
    }

    static VmSpec spec() {
        return spec(List.of(), List.of(), Optional.empty());
    }

    /** With more arguments and migration capabilities, or somebody else's. */
    static VmSpec spec(List<String> more, List<String> capabilities, Optional<String> adopt) {
        return spec(more, capabilities, adopt, "tcg");
    }

    /** With another accelerator. */
    static VmSpec spec(List<String> more, List<String> capabilities, Optional<String> adopt, String accelerator) {
        // relative to the guest's own folder
        List<String> arguments = new ArrayList<>(List.of("-qmp", "unix:test,server=on,wait=off"));
        arguments.addAll(more);
        return new VmSpec(VM, "qemu", 150 * MIB, 1, new WorkloadSpec(0, 0, false), List.of(), 2000)
                .withQemu(new QemuSpec(
                        "",
                        accelerator,
                        List.of(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        capabilities,
                        arguments,
                        adopt));
    }

    static MigrationOptions options(long bandwidth) {
        return new MigrationOptions(500, false, bandwidth, 10_000);
    }

    static SaveLimits limits(MigrationOptions options) {
        return SaveLimits.first(options, 2000);
    }

    private RunLog runLog(String host) {
        return new RunLog() {
            private boolean runsNow;

            @Override
            public synchronized void running(String vm, long epoch) {
                if (!runsNow) {
                    runs.add(host + " runs under " + epoch);
                }
                runsNow = true;
            }

            @Override
            public synchronized void stopped(String vm, long epoch) {
                if (runsNow) {
                    runs.add(host + " stops");
                }
                runsNow = false;
            }
        };
    }

    /** The agent of {@code id}; {@code suffix} tells a later one apart. */
    Agent agent(String id, String suffix) {
        MigrationSettings settings = MigrationSettings.from(config);
        HostPorts ports = new HostPorts(
                id,
                new DataEndpoint("127.0.0.1", 1),
                DeviceModels.standard(config),
                new ScheduledDeviceTicker(timer, System::nanoTime),
                (_, _) -> {
                    throw new IOException("no native guests here");
                },
                dataPlane,
                System::nanoTime,
                new LearntDowntime(settings),
                runLog(id),
                settings,
                reports.ref(),
                ledger);
        Path folder = root.resolve(id);
        QemuHost qemu = QemuHost.real(binary, folder, kvm, "not in this test", QemuSettings.from(config));
        ActorRef<HostAgent.Command> ref = kit.spawn(
                HostAgent.create(
                        "incarnation-of-" + id + suffix,
                        new HostCapacity(512 * MIB, Map.of(), 2, 2),
                        Drivers.detect(
                                config,
                                System::nanoTime,
                                Thread.ofPlatform().daemon().factory()),
                        Optional.of(qemu),
                        Drivers.AUTO,
                        ports,
                        fleets.get(id).ref(),
                        HostSettings.from(config)),
                id + suffix);
        return new Agent(id, ref, folder);
    }

    /** The agent dies, its guests do not. */
    void crash(Agent agent) {
        kit.stop(agent.ref(), PATIENCE);
    }

    /** Creates the VM on host a under epoch 1 and waits until it runs. */
    VmStatus create(VmSpec spec) {
        TestProbe<HostReply> probe = kit.createTestProbe();
        a.tell(new HostCommand.CreateVm(spec, 1, probe.ref()));
        HostReply reply = probe.receiveMessage(PATIENCE);
        assertThat(reply).isInstanceOf(HostReply.VmChanged.class);
        return ((HostReply.VmChanged) reply).status();
    }

    /** The destination prepares; where it listens. */
    DataEndpoint prepare(String migration, VmSpec spec, long epoch, Agent to) {
        to.tell(new HostCommand.PrepareIncoming(migration, spec, "", epoch, options(0)));
        return await(MigrationReport.IncomingReady.class).endpoint();
    }

    void beginSave(String migration, Agent from, long epoch, DataEndpoint to, long bandwidth) {
        MigrationOptions options = options(bandwidth);
        from.tell(new HostCommand.BeginSave(migration, VM, epoch, to, options, limits(options)));
    }

    /** Switches over whatever is predicted. */
    void stopAndCopy(String migration, Agent from, long epoch) {
        from.tell(new HostCommand.AdjustSave(migration, VM, epoch, new SaveLimits(7, 2000, 2000, SLOW, 0, true)));
    }

    /** The coordinator opens the handoff, and tells the source. */
    void handOff(String migration, Agent from, Agent to, long epoch) {
        beginHandoff(migration, from, to, epoch);
        from.tell(new HostCommand.SwitchOver(migration, VM, epoch));
    }

    /** The coordinator opens the handoff, and says nothing to anybody. */
    void beginHandoff(String migration, Agent from, Agent to, long epoch) {
        assertThat(ask(replyTo ->
                        new OwnershipCommand.BeginHandoff(VM, migration, from.id(), to.id(), epoch, 10_000, replyTo)))
                .isInstanceOf(OwnershipReply.OwnershipAccepted.class);
    }

    interface Question {
        OwnershipCommand of(ActorRef<OwnershipReply> replyTo);
    }

    OwnershipReply ask(Question question) {
        TestProbe<OwnershipReply> probe = kit.createTestProbe();
        ledger.tell(question.of(probe.ref()));
        return probe.receiveMessage(PATIENCE);
    }

    /** The next report of that kind; progress and answers that came twice are skipped, anything else fails the test. */
    <T extends MigrationMessage> T await(Class<T> kind) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            MigrationMessage message =
                    reports.receiveMessage(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (kind.isInstance(message)) {
                return kind.cast(message);
            }
            assertThat(message)
                    .as("while waiting for %s", kind.getSimpleName())
                    .isInstanceOfAny(
                            SaveProgress.class,
                            MigrationReport.SaveStarted.class,
                            MigrationReport.IncomingLoaded.class);
        }
    }

    /** The next inventory of {@code host} in which the VM satisfies {@code wanted}. */
    VmStatus awaitVm(Agent agent, Predicate<VmStatus> wanted) {
        return awaitInventory(agent, inventory -> inventory.vms().stream().anyMatch(wanted))
                .vms()
                .getFirst();
    }

    HostInventory awaitInventory(Agent agent, Predicate<HostInventory> wanted) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            FleetCommand command =
                    fleets.get(agent.id()).receiveMessage(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            if (command instanceof FleetCommand.ReportHost(var inventory) && wanted.test(inventory)) {
                return inventory;
            }
        }
    }

    /** What the QEMU itself answers to a command without arguments. */
    JsonNode qmp(Agent agent, String command) throws IOException {
        return qmp(agent, command, "{}");
    }

    /** What the QEMU itself answers. */
    JsonNode qmp(Agent agent, String command, String arguments) throws IOException {
        try (UnixQmpLink link = UnixQmpLink.open(agent.folder().resolve(VM).resolve("test"), 4096, 1 << 20)) {
            link.readLine();
            link.writeLine("{\"execute\": \"qmp_capabilities\"}");
            link.writeLine("{\"execute\": \"" + command + "\", \"arguments\": " + arguments + ", \"id\": \"asked\"}");
            while (true) {
                JsonNode said = JSON.readTree(link.readLine());
                if (said.path("id").asText().equals("asked")) {
                    return said.path("return");
                }
            }
        }
    }

    /** What the QEMU itself answers, unless it takes longer than {@code limit}: then its monitor hangs. */
    JsonNode qmpWithin(Duration limit, Agent agent, String command)
            throws InterruptedException, ExecutionException, TimeoutException {
        return dataPlane.submit(() -> qmp(agent, command)).get(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    boolean runs(Agent agent) throws IOException {
        return qmp(agent, "query-status").path("running").asBoolean();
    }

    /** Waits until the guest there has printed {@code character}. */
    void awaitSerial(Agent agent, char character) {
        Path serial = agent.folder().resolve(VM).resolve("serial.log");
        Awaitility.await("'" + character + "' on the serial console at " + agent.id())
                .atMost(PATIENCE)
                .until(() -> Files.exists(serial) && Files.readString(serial).indexOf(character) >= 0);
    }

    /** The guest's process, by its pid file. */
    ProcessHandle process(Agent agent) throws IOException {
        long pid = Long.parseLong(
                Files.readString(agent.folder().resolve(VM).resolve("pid")).strip());
        return ProcessHandle.of(pid).orElseThrow();
    }

    @Override
    public void close() throws IOException {
        kit.shutdownTestKit();
        for (String host : List.of("host-a", "host-b")) {
            Path pid = root.resolve(host).resolve(VM).resolve("pid");
            if (Files.exists(pid)) {
                ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                        .ifPresent(ProcessHandle::destroyForcibly);
            }
        }
        timer.shutdownNow();
        dataPlane.shutdownNow();
    }
}
