package io.godwit.fleet;

import io.godwit.proto.Names;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.ReportHost;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.AdjustSave;
import io.godwit.proto.host.HostCommand.BeginSave;
import io.godwit.proto.host.HostCommand.CancelSave;
import io.godwit.proto.host.HostCommand.CheckVm;
import io.godwit.proto.host.HostCommand.CreateVm;
import io.godwit.proto.host.HostCommand.DescribeVm;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostCommand.DiscardIncoming;
import io.godwit.proto.host.HostCommand.PrepareIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.RunVm;
import io.godwit.proto.host.HostCommand.SwitchOver;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply.HostRefused;
import io.godwit.proto.host.HostReply.VmChanged;
import io.godwit.proto.host.HostReply.VmChecked;
import io.godwit.proto.host.HostReply.VmDescribed;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.IncomingReady;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.SaveStarted;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.HookSeen;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.jspecify.annotations.Nullable;

/**
 * Host agents that do what they are told at once, with guests that are entries in a map. They outlive the coordinator's
 * actor system: {@link #joinAll} lets them appear on another one with the VMs they hold.
 */
final class FakeHosts {
    private static final Duration REPORT_INTERVAL = Duration.ofMillis(100);

    /** Hosts whose PrepareIncoming fails. */
    final Set<String> broken = ConcurrentHashMap.newKeySet();

    /** Hosts that never answer BeginSave: their migrations stay in pre-copy. */
    final Set<String> stuck = ConcurrentHashMap.newKeySet();

    /** Hosts that keep what they are told to create to themselves until they are no longer here, and {@link #goOn}. */
    final Set<String> slow = ConcurrentHashMap.newKeySet();

    private final Map<String, CreateVm> keptBack = new ConcurrentHashMap<>();

    /** Hosts that have QEMU. */
    final Set<String> qemu = ConcurrentHashMap.newKeySet();

    /** Most copies on their way in that a host ever held at the same time. */
    final Map<String, Integer> incomingPeak = new ConcurrentHashMap<>();

    private final Set<String> off = ConcurrentHashMap.newKeySet();
    private final Set<String> leaseless = ConcurrentHashMap.newKeySet();
    private final Map<String, String> incarnations = new ConcurrentHashMap<>();
    private final Map<String, Long> renewedNanos = new ConcurrentHashMap<>();
    private final Map<String, ActorRef<HostCommand>> agents = new ConcurrentHashMap<>();
    private final Map<String, HostCapacity> capacities = new TreeMap<>();
    private final Map<String, Map<String, VmStatus>> vms = new ConcurrentHashMap<>();
    private final Map<String, String> destinations = new ConcurrentHashMap<>();
    private final Map<String, Long> sequences = new ConcurrentHashMap<>();

    void add(String host, long mib, Map<String, Integer> devices) {
        capacities.put(host, new HostCapacity(mib << 20, devices, 1, 2));
        vms.put(host, new ConcurrentHashMap<>());
    }

    Set<String> vmsOn(String host) {
        return Set.copyOf(vms.get(host).keySet());
    }

    /** Every host that runs {@code vm}: one, if all is well. */
    List<String> runners(String vm) {
        return vms.entrySet().stream()
                .filter(host -> Optional.ofNullable(host.getValue().get(vm))
                        .filter(status -> status.runState() == RunState.RUNNING)
                        .isPresent())
                .map(Map.Entry::getKey)
                .toList();
    }

    void joinAll(ActorSystem<?> system) {
        ActorRef<FleetCommand> fleet = ClusterSingleton.get(system)
                .init(SingletonActor.of(Behaviors.<FleetCommand>empty(), Names.FLEET_VIEW)
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        ActorRef<LeaseCommand> leases = ClusterSingleton.get(system)
                .init(SingletonActor.of(Behaviors.<LeaseCommand>empty(), Names.LEASES)
                        .withSettings(ClusterSingletonSettings.create(system).withRole(Names.COORDINATOR_ROLE)));
        for (String host : capacities.keySet()) {
            system.systemActorOf(leases(system, host, leases), "leases-" + host, Props.empty());
            ActorRef<HostCommand> agent =
                    system.systemActorOf(agent(system, host, fleet), "agent-" + host, Props.empty());
            agents.put(host, agent);
            if (!off.contains(host)) {
                system.receptionist().tell(Receptionist.register(Names.agentOf(host), agent));
            }
        }
    }

    /** How many of them the cluster sees, once they have all been listed. */
    long inSight() {
        return capacities.keySet().stream().filter(host -> !off.contains(host)).count();
    }

    private Behavior<HostCommand> agent(ActorSystem<?> system, String host, ActorRef<FleetCommand> fleet) {
        return Behaviors.setup(context -> {
            system.scheduler()
                    .scheduleWithFixedDelay(
                            Duration.ZERO,
                            REPORT_INTERVAL,
                            () -> {
                                if (!off.contains(host)) {
                                    fleet.tell(new ReportHost(inventory(host)));
                                }
                            },
                            system.executionContext());
            return Behaviors.receiveMessage(command -> {
                obey(
                        host,
                        command,
                        report -> ClusterSharding.get(system)
                                .entityRefFor(Names.MIGRATION, report.migration())
                                .tell(report));
                return Behaviors.same();
            });
        });
    }

    /** Renews the leases of what is here, and destroys what was fenced off. */
    private Behavior<LeaseReply> leases(ActorSystem<?> system, String host, ActorRef<LeaseCommand> lender) {
        return Behaviors.setup(context -> {
            system.scheduler()
                    .scheduleWithFixedDelay(
                            Duration.ZERO,
                            REPORT_INTERVAL,
                            () -> {
                                List<LeasedVm> held = vms.get(host).values().stream()
                                        .filter(vm -> vm.spec().restarts() && !vm.incoming())
                                        .map(vm -> new LeasedVm(vm.spec().name(), vm.epoch()))
                                        .toList();
                                if (!held.isEmpty() && !leaseless.contains(host)) {
                                    lender.tell(new RenewLeases(host, System.nanoTime(), held, context.getSelf()));
                                }
                            },
                            system.executionContext());
            return Behaviors.receiveMessage(reply -> {
                // an answer that was on its way when the host was cut off does not come
                if (reply instanceof LeasesRenewed renewed && !leaseless.contains(host)) {
                    renewed.lent().forEach(vm -> renewedNanos.merge(vm.vm(), renewed.number(), Math::max));
                    renewed.fenced()
                            .forEach(vm -> vms.get(host)
                                    .computeIfPresent(vm.vm(), (_, was) -> was.epoch() <= vm.epoch() ? null : was));
                }
                return Behaviors.same();
            });
        });
    }

    /** When the question was sent, by {@link System#nanoTime()}, that was answered last with a lease of {@code vm}. */
    long renewedNanos(String vm) {
        return renewedNanos.get(vm);
    }

    /** Nobody hears the host any more; what runs there runs on. */
    void cutOff(ActorSystem<?> system, String host) {
        leaseless.add(host);
        outOfSight(system, host);
    }

    /** The cluster loses sight of the host, which renews its leases all the same. */
    void outOfSight(ActorSystem<?> system, String host) {
        if (off.add(host)) {
            system.receptionist().tell(Receptionist.deregister(Names.agentOf(host), agents.get(host)));
        }
    }

    /** It is back. */
    void back(ActorSystem<?> system, String host) {
        leaseless.remove(host);
        off.remove(host);
        system.receptionist().tell(Receptionist.register(Names.agentOf(host), agents.get(host)));
    }

    /** The agent's process dies with what runs in it, and another one is there at once. */
    void restart(String host) {
        vms.get(host).clear();
        incarnations.put(host, "two");
    }

    /** The host's power fails: it reports no more, is listed no more, and what ran there runs no more. */
    void powerOff(ActorSystem<?> system, String host) {
        vms.get(host).clear();
        outOfSight(system, host);
    }

    private HostInventory inventory(String host) {
        return new HostInventory(
                host,
                incarnations.getOrDefault(host, "one"),
                sequences.merge(host, 1L, Long::sum),
                capacities.get(host),
                qemu.contains(host) ? List.of("soft", "qemu") : List.of("soft"),
                new DataEndpoint("127.0.0.1", 1),
                List.copyOf(vms.get(host).values()));
    }

    boolean keepsBack(String host) {
        return keptBack.containsKey(host);
    }

    /** It does what it was told last to create. */
    void goOn(String host) {
        slow.remove(host);
        agents.get(host).tell(keptBack.remove(host));
    }

    private interface Reporter {
        void report(MigrationReport report);
    }

    private void obey(String host, HostCommand command, Reporter to) {
        Map<String, VmStatus> held = vms.get(host);
        switch (command) {
            case CreateVm create -> {
                if (slow.contains(host)) {
                    keptBack.put(host, create);
                } else if (broken.contains(host)) {
                    create.replyTo().tell(new HostRefused(host, "it is broken"));
                } else {
                    held.put(create.spec().name(), status(create.spec(), RunState.RUNNING, create.epoch(), null));
                    create.replyTo().tell(new VmChanged(held.get(create.spec().name())));
                }
            }
            case DestroyVm destroy -> {
                held.remove(destroy.vm());
                destroy.replyTo().tell(new VmGone(destroy.vm()));
            }
            case CheckVm check ->
                check.replyTo().tell(new VmChecked(check.vm(), new GuestCheck(true, 1, 1, "one page")));
            case PrepareIncoming prepare -> {
                String vm = prepare.spec().name();
                if (broken.contains(host)) {
                    to.report(new IncomingFailed(prepare.migration(), host, "it is broken"));
                } else {
                    held.putIfAbsent(
                            vm,
                            new VmStatus(
                                    prepare.spec(),
                                    RunState.RESTORE_VM,
                                    prepare.epoch(),
                                    Optional.of(prepare.migration()),
                                    true,
                                    Optional.empty()));
                    int incoming = (int)
                            held.values().stream().filter(VmStatus::incoming).count();
                    incomingPeak.merge(host, incoming, Math::max);
                    destinations.put(prepare.migration(), host);
                    to.report(new IncomingReady(prepare.migration(), host, new DataEndpoint("127.0.0.1", 1)));
                }
            }
            case BeginSave begin -> {
                if (!stuck.contains(host)) {
                    held.computeIfPresent(
                            begin.vm(),
                            (_, was) -> status(was.spec(), RunState.RUNNING, was.epoch(), begin.migration()));
                    to.report(new SaveStarted(begin.migration(), host));
                    to.report(new ReadyToSwitchOver(begin.migration(), host, SaveStats.NONE));
                }
            }
            case SwitchOver over -> {
                held.computeIfPresent(
                        over.vm(),
                        (_, was) -> status(was.spec(), RunState.FINISH_MIGRATE, was.epoch(), over.migration()));
                to.report(new IncomingLoaded(over.migration(), destinations.get(over.migration()), over.epoch(), true));
            }
            case RunVm run -> {
                if (held.computeIfPresent(run.vm(), (_, was) -> status(was.spec(), RunState.RUNNING, run.epoch(), null))
                        != null) {
                    to.report(new VmRunning(run.migration(), host, run.epoch(), List.of()));
                } else {
                    to.report(new CommandRefused(run.migration(), host, "RunVm", "no VM here", 0));
                }
            }
            case ReleaseSource release -> {
                held.remove(release.vm());
                to.report(new SourceReleased(
                        release.migration(), host, SaveStats.NONE, Downtime.NONE, List.of(), logs(host)));
            }
            case DiscardIncoming discard -> {
                held.remove(discard.vm());
                to.report(new IncomingDiscarded(discard.migration(), host));
            }
            case AdjustSave _ -> {}
            case DescribeVm describe ->
                describe.replyTo()
                        .tell(
                                held.containsKey(describe.vm())
                                        ? new VmDescribed(held.get(describe.vm()), logs(host))
                                        : new HostRefused(host, "no VM '" + describe.vm() + "' here"));
            case CancelSave cancel -> {
                held.computeIfPresent(cancel.vm(), (_, was) -> status(was.spec(), RunState.RUNNING, was.epoch(), null));
                to.report(new SaveFailed(cancel.migration(), host, cancel.reason(), true, false, List.of()));
            }
        }
    }

    /** One device that has seen one hook, named after the host. */
    static List<DeviceLog> logs(String host) {
        return List.of(new DeviceLog(
                "dev-0",
                "gpu/1",
                "RUNNING",
                List.of(new HookSeen("at " + host, List.of("RUNNING"), 1, Optional.empty()))));
    }

    private static VmStatus status(VmSpec spec, RunState state, long epoch, @Nullable String migration) {
        return new VmStatus(spec, state, epoch, Optional.ofNullable(migration), false, Optional.empty());
    }
}
