package io.godwit.agent;

import static io.godwit.agent.TwoHosts.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceModels;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.HookSeen;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One VM between two agents, with real guests and real sockets; the test plays the coordinator. */
class MigrationTest {
    /** {@code saving}: what the devices are while their VM runs and is copied. */
    private static List<StateTriple> saveFlow(String saving) {
        return List.of(
                new StateTriple("RUNNING", "NONE", "_RUNNING"),
                new StateTriple("RUNNING", "SETUP", saving),
                new StateTriple("RUNNING", "ACTIVE", saving),
                new StateTriple("FINISH_MIGRATE", "DEVICE", "_SAVING"),
                new StateTriple("FINISH_MIGRATE", "DEVICE", "_STOPPED"),
                new StateTriple("FINISH_MIGRATE", "COMPLETED", "_STOPPED"));
    }

    private static final List<StateTriple> RESUME_FLOW = List.of(
            new StateTriple("RESTORE_VM", "ACTIVE", "_STOPPED"),
            new StateTriple("RESTORE_VM", "ACTIVE", "_RESUMING"),
            new StateTriple("RUNNING", "NONE", "_RUNNING"));

    private static List<DeviceSpec> devices(String models) {
        List<DeviceSpec> devices = new ArrayList<>();
        for (String model : models.split(" ", -1)) {
            String name = model + devices.size();
            devices.add(
                    switch (model) {
                        case "gpu" -> TwoHosts.gpu(name);
                        case "vnic" -> TwoHosts.vnic(name);
                        default -> TwoHosts.nic(name);
                    });
        }
        return devices;
    }

    /** One device and several, of protocol v2 and of v1, with pre-copy and without. */
    @ParameterizedTest
    @CsvSource({
        "soft, gpu, _RUNNING|_SAVING",
        "soft, vnic, _RUNNING",
        "soft, nic, _RUNNING|_SAVING",
        "soft, gpu gpu, _RUNNING|_SAVING",
        "soft, vnic gpu, '_RUNNING,_RUNNING|_SAVING'",
        "kvm, gpu vnic, '_RUNNING|_SAVING,_RUNNING'",
        "kvm, nic, _RUNNING|_SAVING"
    })
    void movesARunningVmWithItsDevicesAndLosesNothing(String driver, String models, String saving) throws IOException {
        NativeGuests.driver(driver);
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec = TwoHosts.spec("vm-1", driver, 64, devices(models));
            hosts.create(spec);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 1, TwoHosts.options()));
            DataEndpoint endpoint =
                    hosts.await(MigrationReport.IncomingReady.class).endpoint();
            hosts.a.tell(new HostCommand.BeginSave(
                    "m-1", "vm-1", 1, endpoint, TwoHosts.options(), TwoHosts.limits(TwoHosts.options())));
            hosts.await(MigrationReport.SaveStarted.class);
            hosts.await(MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            assertThat(hosts.await(MigrationReport.IncomingLoaded.class).verified())
                    .isTrue();
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.VmRunning running = hosts.await(MigrationReport.VmRunning.class);
            assertThat(running.epoch()).isEqualTo(2);
            assertThat(running.states()).isEqualTo(RESUME_FLOW);
            hosts.a.tell(new HostCommand.ReleaseSource("m-1", "vm-1", 2));
            MigrationReport.SourceReleased released = hosts.await(MigrationReport.SourceReleased.class);
            assertThat(released.states()).isEqualTo(saveFlow(saving));
            assertThat(released.downtime().totalMicros()).isPositive();
            assertThat(released.stats().dirtiedPages()).isPositive();
            assertThat(released.devices().stream().map(DeviceLog::device))
                    .containsExactlyElementsOf(
                            spec.devices().stream().map(DeviceSpec::name).toList());
            for (DeviceLog device : released.devices()) {
                assertThat(device.state()).isEqualTo("STOP");
                assertThat(device.hooks().stream().map(HookSeen::hook))
                        .containsSubsequence(
                                "SAVE_SETUP",
                                "SAVE_LIVE_PENDING",
                                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare)",
                                "VM_STATE_CHANGED(FINISH_MIGRATE)",
                                "SAVE_LIVE_COMPLETE_PRECOPY",
                                "CLEANUP");
            }
            assertThat(hosts.describe(hosts.b, "vm-1").devices().getFirst().hooks().stream()
                            .map(HookSeen::hook))
                    .containsSubsequence("LOAD_SETUP", "LOAD_CLEANUP", "VM_STATE_CHANGED(RUNNING)");

            GuestCheck atOnce = hosts.check(hosts.b, "vm-1");
            assertThat(atOnce.holds()).as(atOnce.detail()).isTrue();
            awaitProgress(hosts, hosts.b, atOnce);
            hosts.inventory(hosts.a, inventory -> inventory.vms().isEmpty());
        }
    }

    /** How far it is its migration says; the fleet hears at once only what others plan with. */
    @Test
    void theFleetHearsAtOnceOfTheBeginningAndTheEndOfAMoveAndNoMore() throws IOException {
        try (TwoHosts hosts = new TwoHosts("godwit.host.report-interval = 1 h, godwit.host.report-delay = 1 h")) {
            Move move = new Move(hosts, List.of()).create();
            hosts.inventory(
                    hosts.a, inventory -> inventory.vms().stream().anyMatch(vm -> vm.runState() == RunState.RUNNING));
            move.untilLoaded();
            HostInventory arriving =
                    hosts.inventory(hosts.b, inventory -> !inventory.vms().isEmpty());
            assertThat(arriving.vms().getFirst().incoming()).isTrue();
            hosts.a.fleet().expectNoMessage(Duration.ZERO);
            hosts.b.fleet().expectNoMessage(Duration.ZERO);
            move.runAtDestination();
            HostInventory arrived =
                    hosts.inventory(hosts.b, inventory -> !inventory.vms().isEmpty());
            assertThat(arrived.vms().getFirst().runState()).isEqualTo(RunState.RUNNING);
            assertThat(arrived.vms().getFirst().migration()).isEmpty();
            assertThat(move.release().migration()).isEqualTo(Move.ID);
            hosts.inventory(hosts.a, inventory -> inventory.vms().isEmpty());
        }
    }

    /** One device behind a vIOMMU whose guest maps anew all the time, one of another policy in a container of its own. */
    @ParameterizedTest
    @CsvSource({
        "PERSISTENT,HARDWARE_TRACKED",
        "HARDWARE_TRACKED,STOP_COPY_ONLY",
        "STOP_COPY_ONLY,PERSISTENT",
        "HARDWARE_TRACKED,HARDWARE_TRACKED"
    })
    void losesNothingBehindAViommuThatIsMappedAnewWhileItIsCopied(String policy, String other) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec = viommu(
                    new DeviceSpec("gpu0", "gpu", "behind", MIB, MIB, 4 * MIB, 16 * MIB, policy),
                    new DeviceSpec("vnic0", "vnic", "behind", 64 * 1024, 16 * 1024, MIB, MIB, policy),
                    new DeviceSpec("gpu1", "gpu", "plain", MIB, MIB, 2 * MIB, 8 * MIB, other));
            movesAndLosesNothing(hosts, spec);
        }
    }

    /** What a device's log of its DMA cannot tell is sent, and the migration goes on. */
    @ParameterizedTest
    @ValueSource(strings = {"start", "report", "short", "pages"})
    void losesNothingWhenADevicesLogIsAtFault(String fault) throws IOException {
        DeviceFaults faults = new DeviceFaults();
        switch (fault) {
            case "start" -> faults.dmaLogging().failStart();
            case "report" -> faults.dmaLogging().failReport();
            case "short" -> faults.dmaLogging().shortReport();
            case "pages" -> faults.dmaLogging().grantPages(1000);
            default -> throw new IllegalArgumentException(fault);
        }
        try (TwoHosts hosts = new TwoHosts(_ -> faults, _ -> new DeviceFaults(), DeviceModels::withFaults)) {
            movesAndLosesNothing(
                    hosts,
                    viommu(
                            new DeviceSpec("gpu0", "gpu", "behind", MIB, MIB, 4 * MIB, 16 * MIB, "HARDWARE_TRACKED"),
                            new DeviceSpec("gpu1", "gpu", "plain", MIB, MIB, 2 * MIB, 8 * MIB, "HARDWARE_TRACKED")));
        }
    }

    private static void movesAndLosesNothing(TwoHosts hosts, VmSpec spec) {
        hosts.create(spec);
        hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 1, TwoHosts.options()));
        DataEndpoint endpoint = hosts.await(MigrationReport.IncomingReady.class).endpoint();
        hosts.a.tell(new HostCommand.BeginSave(
                "m-1", "vm-1", 1, endpoint, TwoHosts.options(), TwoHosts.limits(TwoHosts.options())));
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
        assertThat(hosts.await(MigrationReport.IncomingLoaded.class).verified()).isTrue();
        hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
        hosts.await(MigrationReport.VmRunning.class);
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", "vm-1", 2));
        hosts.await(MigrationReport.SourceReleased.class);
        awaitProgress(hosts, hosts.b, hosts.check(hosts.b, "vm-1"));
    }

    private static VmSpec viommu(DeviceSpec... devices) {
        return new VmSpec(
                "vm-1",
                "soft",
                48 * MIB,
                2,
                new WorkloadSpec(8 * MIB, 8 * MIB, true),
                List.of(devices),
                1000,
                List.of(new ContainerSpec("behind", true, 64 * MIB)),
                "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void movesAVmThatWritesNothingAndWhoseMemoryIsAlmostAllZero(String driver) throws IOException {
        NativeGuests.driver(driver);
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec =
                    new VmSpec("vm-1", driver, 64 * TwoHosts.MIB, 1, new WorkloadSpec(0, 0, false), List.of(), 1000);
            hosts.create(spec);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 1, TwoHosts.options()));
            DataEndpoint endpoint =
                    hosts.await(MigrationReport.IncomingReady.class).endpoint();
            hosts.a.tell(new HostCommand.BeginSave(
                    "m-1", "vm-1", 1, endpoint, TwoHosts.options(), TwoHosts.limits(TwoHosts.options())));
            hosts.await(MigrationReport.SaveStarted.class);
            hosts.await(MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            assertThat(hosts.await(MigrationReport.IncomingLoaded.class).verified())
                    .isTrue();
        }
    }

    @Test
    void limitsThatChangeOnTheWayAreAppliedShownAndCheckedAndAThrottleDoesNotTravel() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec = TwoHosts.spec("vm-1", "soft", 64, List.of(TwoHosts.gpu("gpu0")));
            hosts.create(spec);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 1, TwoHosts.options()));
            DataEndpoint endpoint =
                    hosts.await(MigrationReport.IncomingReady.class).endpoint();
            SaveLimits crawling = new SaveLimits(0, 500, 500, TwoHosts.MIB, 0, false);
            hosts.a.tell(new HostCommand.BeginSave("m-1", "vm-1", 1, endpoint, TwoHosts.options(), crawling));
            hosts.await(MigrationReport.SaveStarted.class);
            hosts.a.tell(new HostCommand.AdjustSave("m-1", "vm-1", 1, new SaveLimits(1, 500, 500, 0, 100, false)));
            assertThat(hosts.await(MigrationReport.CommandRefused.class))
                    .satisfies(refused -> assertThat(refused.command()).isEqualTo("AdjustSave"))
                    .satisfies(refused -> assertThat(refused.reason()).contains("throttle of 100 percent"));
            hosts.a.tell(new HostCommand.AdjustSave("m-1", "vm-1", 7, new SaveLimits(1, 500, 500, 0, 0, false)));
            assertThat(hosts.await(MigrationReport.CommandRefused.class).reason())
                    .contains("epoch 1; asked under 7");
            HostReply.VmDescribed leaving = hosts.describe(hosts.a, "vm-1");
            assertThat(leaving.status().migration()).contains("m-1");
            assertThat(leaving.devices().getFirst().state()).isEqualTo("PRE_COPY");
            HostReply.VmDescribed arriving = hosts.describe(hosts.b, "vm-1");
            assertThat(arriving.status().incoming()).isTrue();
            assertThat(arriving.devices().getFirst().state()).isEqualTo("RESUMING");
            SaveLimits quick = new SaveLimits(2, 500, 500, 0, 99, false);
            hosts.a.tell(new HostCommand.AdjustSave("m-1", "vm-1", 1, quick));
            hosts.a.tell(new HostCommand.AdjustSave("m-1", "vm-1", 1, crawling));
            SaveLimits shown = crawling;
            while (!shown.equals(quick)) {
                shown = hosts.await(SaveProgress.class).progress().limits();
                assertThat(shown).isIn(crawling, quick);
            }
            hosts.await(MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            hosts.await(MigrationReport.IncomingLoaded.class);
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            hosts.await(MigrationReport.VmRunning.class);
            GuestCheck before = hosts.check(hosts.b, "vm-1");
            // held back by 99 % it would write 20 pages a second
            Awaitility.await()
                    .atMost(TwoHosts.PATIENCE)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> hosts.check(hosts.b, "vm-1").guestWrites() > before.guestWrites() + 2000);
        }
    }

    @Test
    void aRefusedConnectionFailsTheMigrationAndTheVmGoesOn() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            hosts.create(TwoHosts.spec("vm-1", "soft", 16, List.of(TwoHosts.gpu("gpu0"))));
            int port;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            hosts.a.tell(new HostCommand.BeginSave(
                    "m-1",
                    "vm-1",
                    1,
                    new DataEndpoint("127.0.0.1", port),
                    TwoHosts.options(),
                    TwoHosts.limits(TwoHosts.options())));
            MigrationReport.SaveFailed failed = hosts.await(MigrationReport.SaveFailed.class);
            assertThat(failed.reason()).contains("127.0.0.1:" + port).contains("refused");
            assertGoesOn(hosts, failed);
        }
    }

    @Test
    void aWrongRamSizeIsRefusedByTheDestinationAndTheVmGoesOn() throws IOException {
        refusedPreamble(
                TwoHosts.spec("vm-1", "soft", 16, List.of(TwoHosts.gpu("gpu0"))),
                TwoHosts.spec("vm-1", "soft", 32, List.of(TwoHosts.gpu("gpu0"))),
                "RAM size in bytes is 16777216, expected 33554432");
    }

    @Test
    void anotherDeviceModelIsRefusedByTheDestinationAndTheVmGoesOn() throws IOException {
        DeviceSpec other =
                new DeviceSpec("gpu0", "nic", "container-0", 64 * 1024, 0, 2 * TwoHosts.MIB, 0, "PERSISTENT");
        refusedPreamble(
                TwoHosts.spec("vm-1", "soft", 16, List.of(TwoHosts.gpu("gpu0"))),
                TwoHosts.spec("vm-1", "soft", 16, List.of(other)),
                "gpu0=gpu/1");
    }

    @Test
    void aDeviceModelTheDestinationDoesNotKnowIsRefusedBeforeAnythingMoves() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            DeviceSpec unknown = new DeviceSpec("fpga0", "fpga", "container-0", 4096, 0, 0, 0, "PERSISTENT");
            hosts.b.tell(new HostCommand.PrepareIncoming(
                    "m-1", TwoHosts.spec("vm-1", "soft", 16, List.of(unknown)), "host-a", 1, TwoHosts.options()));
            assertThat(hosts.await(MigrationReport.IncomingFailed.class).reason())
                    .contains("fpga");
        }
    }

    private static void refusedPreamble(VmSpec atSource, VmSpec atDestination, String reason) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            hosts.create(atSource);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", atDestination, "host-a", 1, TwoHosts.options()));
            DataEndpoint endpoint =
                    hosts.await(MigrationReport.IncomingReady.class).endpoint();
            hosts.a.tell(new HostCommand.BeginSave(
                    "m-1", "vm-1", 1, endpoint, TwoHosts.options(), TwoHosts.limits(TwoHosts.options())));
            MigrationReport first = hosts.await(MigrationReport.class);
            MigrationReport second = hosts.await(MigrationReport.class);
            MigrationReport.SaveFailed failed =
                    first instanceof MigrationReport.SaveFailed f ? f : (MigrationReport.SaveFailed) second;
            assertThat(failed.reason()).contains(reason);
            assertThat(List.of(first, second)).anyMatch(MigrationReport.IncomingFailed.class::isInstance);
            assertGoesOn(hosts, failed);
            hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
        }
    }

    private static void assertGoesOn(TwoHosts hosts, MigrationReport.SaveFailed failed) {
        assertThat(failed.surrendered()).isFalse();
        assertThat(failed.cancelled()).isFalse();
        assertThat(failed.states().getLast()).isEqualTo(new StateTriple("RUNNING", "FAILED", "_RUNNING"));
        awaitProgress(hosts, hosts.a, hosts.check(hosts.a, "vm-1"));
    }

    /** Every check stops the guest for a moment: it is asked now and then, so that the guest gets on in between. */
    private static void awaitProgress(TwoHosts hosts, TwoHosts.Agent agent, GuestCheck before) {
        Awaitility.await()
                .atMost(TwoHosts.PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    GuestCheck now = hosts.check(agent, "vm-1");
                    assertThat(now.holds()).as(now.detail()).isTrue();
                    return now.guestWrites() > before.guestWrites() && now.dmaWrites() > before.dmaWrites();
                });
    }
}
