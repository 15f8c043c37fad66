package io.godwit.agent;

import io.godwit.agent.lease.HostLeases;
import io.godwit.agent.lease.LeaseKeeper;
import io.godwit.agent.lease.Leasing;
import io.godwit.agent.qemu.QemuHost;
import io.godwit.agent.qemu.QemuVm;
import io.godwit.agent.qemu.SpecCodec;
import io.godwit.device.P2pRule;
import io.godwit.migration.ResumePath;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import io.godwit.vm.GuestDriver;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.Vm;
import io.godwit.vm.VmHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Everything a host does: holds its VMs, admits new ones within its capacity, routes commands and streams to them, and
 * reports all of it to the fleet view: on every change, a little later when only a migration has come further, and on a
 * timer.
 */
public final class HostAgent extends AbstractBehavior<HostAgent.Command> {
    private static final String SOON = "soon";

    /** What the agent is told. */
    public sealed interface Command {}

    /** A coordinator asks. */
    public record Asked(HostCommand command) implements Command {}

    /** A stream has connected and said what it is; {@code reader} is the receiver's to close. */
    public record StreamArrived(Preamble preamble, StreamReader reader) implements Command {}

    private record VmChanged(Vm.Event event) implements Command {}

    private record VmFailed(String vm, String reason) implements Command {}

    private record ReportNow() implements Command {}

    private record RenewLeases() implements Command {}

    private record LeaseSaid(LeaseReply reply) implements Command {}

    /** A VM here: where its commands go, and its streams if they come to the agent, and how it stood last. */
    private static final class Held {
        final Consumer<HostCommand> asks;
        final Optional<ActorRef<Vm.Command>> streams;
        VmStatus status;

        Held(Consumer<HostCommand> asks, Optional<ActorRef<Vm.Command>> streams, VmStatus status) {
            this.asks = asks;
            this.streams = streams;
            this.status = status;
        }
    }

    private final String incarnation;
    private final HostCapacity capacity;
    private final Drivers drivers;
    private final VmHost host;
    private final Optional<QemuHost> qemu;
    private final ActorRef<FleetCommand> fleet;
    private final Optional<HostLeases> leases;
    private final String defaultDriver;
    private final TimerScheduler<Command> timers;
    private final HostSettings settings;
    private final Map<String, Held> vms = new TreeMap<>();
    private final Map<String, MigrationReport> lastReports = new LinkedHashMap<>();
    private long sequence;

    private HostAgent(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            String incarnation,
            HostCapacity capacity,
            Drivers drivers,
            Optional<QemuHost> qemu,
            Optional<Leasing> leasing,
            String defaultDriver,
            HostPorts ports,
            ActorRef<FleetCommand> fleet,
            HostSettings settings) {
        super(context);
        this.qemu = qemu;
        this.incarnation = incarnation;
        this.capacity = capacity;
        this.drivers = drivers;
        this.fleet = fleet;
        this.defaultDriver = defaultDriver;
        this.timers = timers;
        this.settings = settings;
        this.host = ports.lend(context.messageAdapter(Vm.Event.class, VmChanged::new));
        this.leases = leasing.map(given -> new HostLeases(
                host.host(),
                given.keeper(),
                given.lender(),
                context.messageAdapter(LeaseReply.class, LeaseSaid::new),
                host.runLog()));
        timers.startTimerWithFixedDelay(new RenewLeases(), settings.leaseInterval());
        // before the first report: what it does not name is taken to be gone
        qemu.ifPresent(this::adoptLeft);
        report();
    }

    /**
     * The agent of one host without QEMU guests.
     *
     * @param incarnation id of this process, unlike that of any other
     * @param defaultDriver what a spec's {@code auto} means here
     * @param fleet where inventories go
     */
    public static Behavior<Command> create(
            String incarnation,
            HostCapacity capacity,
            Drivers drivers,
            String defaultDriver,
            HostPorts ports,
            ActorRef<FleetCommand> fleet,
            HostSettings settings) {
        return create(
                incarnation,
                capacity,
                drivers,
                Optional.empty(),
                Optional.empty(),
                defaultDriver,
                ports,
                fleet,
                settings);
    }

    /** The agent of one host that keeps no leases: a VM that may only run under one stands still. */
    public static Behavior<Command> create(
            String incarnation,
            HostCapacity capacity,
            Drivers drivers,
            Optional<QemuHost> qemu,
            String defaultDriver,
            HostPorts ports,
            ActorRef<FleetCommand> fleet,
            HostSettings settings) {
        return create(incarnation, capacity, drivers, qemu, Optional.empty(), defaultDriver, ports, fleet, settings);
    }

    /**
     * The agent of one host. It takes over the QEMU guests that an earlier agent has left in the folder of {@code qemu}.
     *
     * @param incarnation id of this process, unlike that of any other
     * @param qemu what QEMU guests need; empty for a host without QEMU
     * @param leasing how it keeps leases
     * @param defaultDriver what a spec's {@code auto} means here
     * @param fleet where inventories go
     */
    public static Behavior<Command> create(
            String incarnation,
            HostCapacity capacity,
            Drivers drivers,
            Optional<QemuHost> qemu,
            Optional<Leasing> leasing,
            String defaultDriver,
            HostPorts ports,
            ActorRef<FleetCommand> fleet,
            HostSettings settings) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> new HostAgent(
                context,
                timers,
                incarnation,
                capacity,
                drivers,
                qemu,
                leasing,
                defaultDriver,
                ports,
                fleet,
                settings)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder().onMessage(Command.class, this::receive).build();
    }

    private Behavior<Command> receive(Command command) {
        switch (command) {
            case Asked(var asked) -> asked(asked);
            case StreamArrived arrived -> streamArrived(arrived);
            case VmChanged(Vm.Event.Standing(var status)) -> {
                Held held = vms.get(status.spec().name());
                if (held != null && !held.status.equals(status)) {
                    held.status = status;
                    if (status.failure().isPresent() || status.migration().isEmpty()) {
                        report();
                    } else if (status.runState() != RunState.FINISH_MIGRATE) {
                        // that it stands still for its switchover is over, or told by the timer, before anyone needs it
                        reportSoon();
                    }
                }
            }
            case VmChanged(Vm.Event.Gone(var vm, var last)) -> {
                vms.remove(vm);
                leases.ifPresent(keeping -> keeping.forget(vm));
                last.ifPresent(this::remember);
                report();
            }
            case VmFailed(var vm, var reason) -> {
                Held held = vms.get(vm);
                if (held != null) {
                    VmStatus was = held.status;
                    held.status = new VmStatus(
                            was.spec(),
                            RunState.INTERNAL_ERROR,
                            was.epoch(),
                            was.migration(),
                            was.incoming(),
                            Optional.of(reason));
                    report();
                }
            }
            case ReportNow() -> report();
            case RenewLeases() -> renewLeases();
            case LeaseSaid(var reply) -> leaseSaid(reply);
        }
        return this;
    }

    private void renewLeases() {
        leases.ifPresent(keeping -> keeping.renew(statuses()));
    }

    /** What was fenced off belongs to another host, or soon will: nobody may ever run it here again. */
    private void leaseSaid(LeaseReply reply) {
        leases.ifPresent(keeping -> {
            for (VmStatus over : keeping.hear(reply, statuses())) {
                Held held = vms.get(over.spec().name());
                if (held != null && !over.incoming()) {
                    getContext()
                            .getLog()
                            .warn("{}: fenced off under epoch {}", over.spec().name(), over.epoch());
                    held.asks.accept(new HostCommand.DestroyVm(
                            over.spec().name(),
                            over.epoch(),
                            getContext().getSystem().ignoreRef()));
                }
            }
        });
    }

    private List<VmStatus> statuses() {
        return vms.values().stream().map(held -> held.status).toList();
    }

    private void asked(HostCommand command) {
        switch (command) {
            case HostCommand.CreateVm create -> {
                Held held = vms.get(create.spec().name());
                if (held != null) {
                    held.asks.accept(create);
                } else {
                    create(create);
                }
            }
            case HostCommand.PrepareIncoming prepare -> {
                Held held = vms.get(prepare.spec().name());
                if (held != null) {
                    held.asks.accept(prepare);
                } else {
                    prepare(prepare);
                }
            }
            case HostCommand.DestroyVm c -> {
                if (!pass(c.vm(), c)) {
                    c.replyTo().tell(new HostReply.VmGone(c.vm()));
                }
            }
            case HostCommand.CheckVm c -> {
                if (!pass(c.vm(), c)) {
                    c.replyTo().tell(refused("no VM '" + c.vm() + "' here"));
                }
            }
            case HostCommand.DescribeVm c -> {
                if (!pass(c.vm(), c)) {
                    c.replyTo().tell(refused("no VM '" + c.vm() + "' here"));
                }
            }
            case HostCommand.BeginSave c -> {
                if (outgoing(c.migration()) >= capacity.outgoingMax()) {
                    host.reports()
                            .tell(new MigrationReport.SaveFailed(
                                    c.migration(),
                                    host.host(),
                                    "host " + host.host() + " sends " + capacity.outgoingMax()
                                            + " migrations already, its limit",
                                    false,
                                    false,
                                    List.of()));
                } else if (!pass(c.vm(), c)) {
                    missing(c.migration(), c.vm(), "BeginSave");
                }
            }
            case HostCommand.SwitchOver c -> passOrMissing(c.migration(), c.vm(), c, "SwitchOver");
            case HostCommand.RunVm c -> passOrMissing(c.migration(), c.vm(), c, "RunVm");
            case HostCommand.AdjustSave c -> passOrMissing(c.migration(), c.vm(), c, "AdjustSave");
            case HostCommand.CancelSave c -> passOrMissing(c.migration(), c.vm(), c, "CancelSave");
            case HostCommand.ReleaseSource c -> passOrMissing(c.migration(), c.vm(), c, "ReleaseSource");
            case HostCommand.DiscardIncoming c -> {
                if (!pass(c.vm(), c)) {
                    host.reports().tell(new MigrationReport.IncomingDiscarded(c.migration(), host.host()));
                }
            }
        }
    }

    private void create(HostCommand.CreateVm create) {
        try {
            VmSpec asked = create.spec().driver().equals(Drivers.AUTO)
                    ? create.spec().withDriver(defaultDriver)
                    : create.spec();
            admit(asked);
            if (asked.driver().equals(QemuHost.DRIVER)) {
                holdQemu(
                        asked,
                        create.epoch(),
                        Optional.empty(),
                        false,
                        QemuVm.create(
                                host,
                                requireQemu(asked),
                                new HostCommand.CreateVm(asked, create.epoch(), create.replyTo())));
                return;
            }
            GuestDriver driver = drivers.of(asked);
            VmSpec settled = asked.withDriver(driver.name());
            hold(
                    settled,
                    create.epoch(),
                    Optional.empty(),
                    Vm.create(host, driver, new HostCommand.CreateVm(settled, create.epoch(), create.replyTo())));
        } catch (GuestException e) {
            create.replyTo().tell(refused(String.valueOf(e.getMessage())));
        }
    }

    private void prepare(HostCommand.PrepareIncoming prepare) {
        try {
            long incoming =
                    vms.values().stream().filter(held -> held.status.incoming()).count();
            if (incoming >= capacity.incomingMax()) {
                throw new GuestException(
                        "host " + host.host() + " takes " + capacity.incomingMax() + " migrations already, its limit");
            }
            Optional<String> refusal = P2pRule.refusal(prepare.spec(), host.models());
            if (refusal.isPresent()) {
                throw new GuestException(refusal.get());
            }
            admit(prepare.spec());
            if (prepare.spec().driver().equals(QemuHost.DRIVER)) {
                holdQemu(
                        prepare.spec(),
                        prepare.epoch(),
                        Optional.of(prepare.migration()),
                        true,
                        QemuVm.incoming(host, requireQemu(prepare.spec()), prepare));
                return;
            }
            GuestDriver driver = drivers.of(prepare.spec());
            hold(prepare.spec(), prepare.epoch(), Optional.of(prepare.migration()), Vm.incoming(host, driver, prepare));
        } catch (GuestException e) {
            host.reports()
                    .tell(new MigrationReport.IncomingFailed(
                            prepare.migration(), host.host(), String.valueOf(e.getMessage())));
        }
    }

    /** Whether a VM of this spec fits: its layout, memory and devices. Memory of VMs in flight counts. */
    private void admit(VmSpec spec) throws GuestException {
        try {
            // throws for sizes that cannot be
            var _ = new GuestLayout(spec);
        } catch (IllegalArgumentException e) {
            throw new GuestException(String.valueOf(e.getMessage()), e);
        }
        long used = vms.values().stream()
                .mapToLong(held -> held.status.spec().memoryBytes())
                .sum();
        if (used + spec.memoryBytes() > capacity.memoryBytes()) {
            throw new GuestException("VM " + spec.name() + " needs " + spec.memoryBytes() + " bytes of memory; host "
                    + host.host() + " has " + (capacity.memoryBytes() - used) + " free of " + capacity.memoryBytes());
        }
        Map<String, Integer> needed = new TreeMap<>();
        spec.devices().forEach(device -> needed.merge(device.model(), 1, Integer::sum));
        for (Map.Entry<String, Integer> need : needed.entrySet()) {
            String model = need.getKey();
            int pool = capacity.devices().getOrDefault(model, 0);
            long taken = vms.values().stream()
                    .flatMap(held -> held.status.spec().devices().stream())
                    .map(DeviceSpec::model)
                    .filter(model::equals)
                    .count();
            if (taken + need.getValue() > pool) {
                throw new GuestException("VM " + spec.name() + " needs " + need.getValue() + " " + model + "; host "
                        + host.host() + " has " + (pool - taken) + " free of " + pool);
            }
        }
    }

    private QemuHost requireQemu(VmSpec spec) throws GuestException {
        return qemu.orElseThrow(() -> new GuestException("VM " + spec.name() + ": driver " + QemuHost.DRIVER
                + " is not to be had on host " + host.host() + ": its program was not found when the agent started"));
    }

    /** A handful of small files, read once, before anything else is done. */
    private void adoptLeft(QemuHost here) {
        SpecCodec codec = SpecCodec.of(getContext().getSystem());
        try {
            for (Path folder : here.left()) {
                adoptLeft(here, folder, codec);
            }
        } catch (IOException e) {
            getContext().getLog().error("QEMU guests of an earlier agent cannot be looked for", e);
        }
    }

    private void adoptLeft(QemuHost here, Path folder, SpecCodec codec) {
        try {
            QemuVm.Left left = QemuVm.left(host, here, folder, codec);
            holdQemu(left.spec(), left.epoch(), left.migration(), left.incoming(), left.guest());
        } catch (IOException e) {
            getContext().getLog().error("a QEMU guest of an earlier agent is left alone: {}", e.getMessage());
        }
    }

    private void hold(VmSpec spec, long epoch, Optional<String> migration, Behavior<Vm.Command> behavior) {
        ActorRef<Vm.Command> actor = getContext().spawnAnonymous(behavior);
        hold(
                spec,
                epoch,
                migration,
                migration.isPresent(),
                actor,
                asked -> actor.tell(new Vm.Asked(asked)),
                Optional.of(actor));
    }

    private void holdQemu(
            VmSpec spec, long epoch, Optional<String> migration, boolean incoming, Behavior<QemuVm.Command> behavior) {
        ActorRef<QemuVm.Command> actor = getContext().spawnAnonymous(behavior);
        hold(spec, epoch, migration, incoming, actor, asked -> actor.tell(new QemuVm.Asked(asked)), Optional.empty());
    }

    private void hold(
            VmSpec spec,
            long epoch,
            Optional<String> migration,
            boolean incoming,
            ActorRef<?> actor,
            Consumer<HostCommand> asks,
            Optional<ActorRef<Vm.Command>> streams) {
        String vm = spec.name();
        vms.put(
                vm,
                new Held(
                        asks,
                        streams,
                        new VmStatus(spec, RunState.PRELAUNCH, epoch, migration, incoming, Optional.empty())));
        getContext().watchWith(actor, new VmFailed(vm, "its actor ended unexpectedly; see the agent's log"));
        report();
        if (LeaseKeeper.governs(spec)) {
            // not at the next turn: it waits for its first one
            renewLeases();
        }
    }

    private void streamArrived(StreamArrived arrived) {
        Preamble preamble = arrived.preamble();
        Held held = vms.get(preamble.vm());
        if (held != null
                && held.streams.isPresent()
                && held.status.incoming()
                && held.status.migration().equals(Optional.of(preamble.migration()))) {
            held.streams.get().tell(new Vm.StreamArrived(preamble, arrived.reader()));
        } else {
            host.dataPlane()
                    .execute(() -> ResumePath.refuse(
                            arrived.reader(),
                            "host " + host.host() + " expects no migration " + preamble.migration() + " of VM "
                                    + preamble.vm()));
        }
    }

    private boolean pass(String vm, HostCommand command) {
        Held held = vms.get(vm);
        if (held != null) {
            held.asks.accept(command);
        }
        return held != null;
    }

    private void passOrMissing(String migration, String vm, HostCommand command, String name) {
        if (!pass(vm, command)) {
            missing(migration, vm, name);
        }
    }

    /** A command for a VM that is not here: most likely a repetition of one that was done, so the last word is repeated. */
    private void missing(String migration, String vm, String command) {
        MigrationReport last = lastReports.get(migration);
        host.reports()
                .tell(
                        last != null
                                ? last
                                : new MigrationReport.CommandRefused(
                                        migration, host.host(), command, "no VM '" + vm + "' here", 0));
    }

    private long outgoing(String but) {
        return vms.values().stream()
                .filter(held -> !held.status.incoming()
                        && held.status.migration().filter(m -> !m.equals(but)).isPresent())
                .count();
    }

    private void remember(MigrationReport last) {
        lastReports.put(last.migration(), last);
        if (lastReports.size() > settings.lastReportsMax()) {
            lastReports.remove(lastReports.keySet().iterator().next());
        }
    }

    private List<String> usable() {
        List<String> names = new ArrayList<>(drivers.usable());
        if (qemu.flatMap(QemuHost::ability).isPresent()) {
            names.add(QemuHost.DRIVER);
        }
        return names;
    }

    private HostReply refused(String reason) {
        return new HostReply.HostRefused(host.host(), reason);
    }

    private List<VmStatus> told() {
        return leases.map(keeping -> {
                    keeping.look(statuses());
                    return statuses().stream().map(keeping::told).toList();
                })
                .orElseGet(this::statuses);
    }

    /** How a VM comes along that is on its way: its migration knows, and would have to wait for this. */
    private void reportSoon() {
        if (!timers.isTimerActive(SOON)) {
            timers.startSingleTimer(SOON, new ReportNow(), settings.reportDelay());
        }
    }

    private void report() {
        timers.cancel(SOON);
        timers.startTimerWithFixedDelay(new ReportNow(), settings.reportInterval());
        fleet.tell(new FleetCommand.ReportHost(new HostInventory(
                host.host(),
                incarnation,
                ++sequence,
                capacity,
                usable(),
                host.endpoint(),
                qemu.flatMap(QemuHost::ability),
                told())));
    }
}
