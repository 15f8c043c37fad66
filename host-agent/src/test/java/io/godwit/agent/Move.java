package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.time.Duration;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** One migration of one VM from host a to host b, every step of it taken when the test says so. */
final class Move {
    static final String ID = "m-1";
    static final String VM = "vm-1";
    static final MigrationOptions OPTIONS = new MigrationOptions(2000, true, 0, 10_000);

    final TwoHosts hosts;
    final VmSpec spec;

    /** Of a VM that writes a little all the time. */
    Move(TwoHosts hosts, List<DeviceSpec> devices) {
        this(hosts, devices, new WorkloadSpec(TwoHosts.MIB, 2 * TwoHosts.MIB, true));
    }

    private Move(TwoHosts hosts, List<DeviceSpec> devices, WorkloadSpec workload) {
        this.hosts = hosts;
        this.spec = new VmSpec(VM, "soft", 16 * TwoHosts.MIB, 2, workload, devices, 2000);
    }

    /** Of a VM whose vCPUs write nothing: with {@link #calm} devices nothing is sent between ready and the stop. */
    static Move ofAnIdleGuest(TwoHosts hosts, List<DeviceSpec> devices) {
        return new Move(hosts, devices, new WorkloadSpec(0, 0, true));
    }

    /** A device of {@code model} that works slowly: state that changes, pinned memory that it writes. */
    static DeviceSpec device(String name, String model) {
        return new DeviceSpec(
                name, model, "container-0", 2 * TwoHosts.MIB, TwoHosts.MIB, TwoHosts.MIB, TwoHosts.MIB, "PERSISTENT");
    }

    /** The same devices, whose own state does not change: once it is sent, nothing of it is due before the stop. */
    static List<DeviceSpec> calm(List<DeviceSpec> devices) {
        return devices.stream()
                .map(device -> new DeviceSpec(
                        device.name(),
                        device.model(),
                        device.container(),
                        device.stateBytes(),
                        0,
                        device.pinnedBytes(),
                        device.dmaBytesPerSecond(),
                        device.dirtyReporting()))
                .toList();
    }

    /** Creates the VM at the source. */
    Move create() {
        hosts.create(spec);
        return this;
    }

    /** Lets the destination prepare. */
    DataEndpoint prepare() {
        hosts.b.tell(new HostCommand.PrepareIncoming(ID, spec, "host-a", 1, OPTIONS));
        return await(MigrationReport.IncomingReady.class).endpoint();
    }

    void begin(DataEndpoint to) {
        begin(to, OPTIONS);
    }

    void begin(DataEndpoint to, MigrationOptions options) {
        hosts.a.tell(new HostCommand.BeginSave(ID, VM, 1, to, options, TwoHosts.limits(options)));
    }

    /** Begins, and waits until it would switch over. */
    void beginUntilReady(DataEndpoint to) {
        begin(to);
        await(MigrationReport.SaveStarted.class);
        await(MigrationReport.ReadyToSwitchOver.class);
    }

    void switchOver() {
        hosts.a.tell(new HostCommand.SwitchOver(ID, VM, 1));
    }

    /** All of it, up to a destination that has loaded and a source that stands still. */
    void untilLoaded() {
        beginUntilReady(prepare());
        switchOver();
        assertThat(await(MigrationReport.IncomingLoaded.class).verified()).isTrue();
    }

    /** The ledger has committed: the destination is to run. */
    void runAtDestination() {
        hosts.b.tell(new HostCommand.RunVm(ID, VM, 2));
    }

    /** The ledger has aborted: the source is to run again. */
    void runAtSource() {
        hosts.a.tell(new HostCommand.RunVm(ID, VM, 2));
    }

    MigrationReport.SourceReleased release() {
        hosts.a.tell(new HostCommand.ReleaseSource(ID, VM, 2));
        return await(MigrationReport.SourceReleased.class);
    }

    void cancel() {
        hosts.a.tell(new HostCommand.CancelSave(ID, VM, "the operator asked for it"));
    }

    void discard() {
        hosts.b.tell(new HostCommand.DiscardIncoming(ID, VM, "the migration has ended"));
    }

    /** Waits until pre-copy has synced and decided {@code times} times. */
    void awaitIterations(int times) {
        awaitProgress((_, now) -> now.stats().iterations() >= times);
    }

    /** Waits until {@link #calm} devices have given out all that they can while they run. */
    void awaitDevicesGivenOut() {
        awaitProgress((_, now) -> now.devicePrecopyBytes() == 0);
    }

    /** As that, of a guest that writes nothing, too: until the stop nothing more is sent. */
    void awaitAllSent() {
        awaitProgress((before, now) -> now.devicePrecopyBytes() == 0
                && now.remainingBytes() == now.pinnedBytes() + now.deviceStopCopyBytes()
                && now.stats().transferredBytes() == before.stats().transferredBytes());
    }

    private void awaitProgress(BiPredicate<Progress, Progress> enough) {
        Progress before = null;
        while (true) {
            if (hosts.reports.receiveMessage(TwoHosts.PATIENCE) instanceof SaveProgress(var _, var _, var now)) {
                if (enough.test(before == null ? now : before, now) && before != null) {
                    return;
                }
                before = now;
            }
        }
    }

    /** The next report of that kind; others are passed over. */
    <T extends MigrationReport> T await(Class<T> kind) {
        return await(kind, _ -> true);
    }

    <T extends MigrationReport> T await(Class<T> kind, Predicate<T> wanted) {
        while (true) {
            MigrationMessage message = hosts.reports.receiveMessage(TwoHosts.PATIENCE);
            assertThat(message).isInstanceOfAny(MigrationReport.class, SaveProgress.class);
            if (kind.isInstance(message) && wanted.test(kind.cast(message))) {
                return kind.cast(message);
            }
        }
    }

    /** The history of a device in the lines of {@link DeviceFlow}. */
    List<String> flow(TwoHosts.Agent agent, String device) {
        return DeviceFlow.lines(hosts.history(agent, device));
    }

    /** Waits until the device has gone through exactly that: what is off the critical path comes a little later. */
    void awaitFlow(TwoHosts.Agent agent, String device, List<String> expected) {
        Awaitility.await()
                .atMost(TwoHosts.PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(flow(agent, device))
                        .as("%s at %s", device, agent.id())
                        .isEqualTo(expected));
    }

    /** Every device of {@code agent} goes through these parts ({@link DeviceFlow#through}), and no others. */
    void awaitFlows(TwoHosts.Agent agent, Object... parts) {
        for (DeviceSpec device : spec.devices()) {
            awaitFlow(
                    agent, device.name(), DeviceFlow.of(device, spec.devices()).through(parts));
        }
    }

    /** The VM writes on at that host, and so do its devices; no write is lost or doubled. */
    void awaitWritesOn(TwoHosts.Agent agent, long epoch) {
        GuestCheck before = hosts.check(agent, VM);
        assertThat(before.holds()).as(before.detail()).isTrue();
        boolean dma = spec.devices().stream().anyMatch(device -> device.dmaBytesPerSecond() > 0);
        boolean writes = spec.workload().dirtyBytesPerSecond() > 0;
        Awaitility.await()
                .atMost(TwoHosts.PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    GuestCheck now = hosts.check(agent, VM);
                    assertThat(now.holds()).as(now.detail()).isTrue();
                    return (!writes || now.guestWrites() > before.guestWrites())
                            && (!dma || now.dmaWrites() > before.dmaWrites());
                });
        hosts.inventory(
                agent,
                inventory -> inventory.vms().stream()
                        .anyMatch(vm -> vm.runState() == RunState.RUNNING && vm.epoch() == epoch));
    }

    /** Stands still at the source: told to switch over, and its guest is not to write any more unless it fails first. */
    void awaitSurrendered() {
        hosts.inventory(
                hosts.a,
                inventory -> inventory.vms().stream().anyMatch(vm -> vm.runState() == RunState.FINISH_MIGRATE));
    }

    /** The VM stands still at the source, under the epoch it has surrendered, and the word of that epoch does not move it. */
    void assertWaitsForTheLedger() {
        hosts.a.tell(new HostCommand.RunVm(ID, VM, 1));
        assertThat(await(MigrationReport.CommandRefused.class).reason()).contains("has surrendered under epoch 1");
        hosts.inventory(
                hosts.a,
                inventory -> inventory.vms().stream()
                        .anyMatch(vm -> vm.runState() == RunState.FINISH_MIGRATE && vm.epoch() == 1));
        assertThat(hosts.runs).last().isEqualTo("host-a stops under 1");
    }

    /** The destination has nothing left of it. */
    void awaitNothingAtDestination() {
        hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
    }

    /** Triples in lines, such as {@code RUNNING NONE _RUNNING}. */
    static List<String> lines(List<StateTriple> triples) {
        return triples.stream()
                .map(triple -> triple.vm() + " " + triple.migration() + " " + triple.device())
                .toList();
    }
}
