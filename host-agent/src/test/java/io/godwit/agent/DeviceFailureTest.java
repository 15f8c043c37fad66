package io.godwit.agent;

import static io.godwit.agent.MigrationFailureTest.awaitPast;
import static io.godwit.agent.MigrationFailureTest.begin;
import static io.godwit.agent.MigrationFailureTest.bothFail;
import static io.godwit.agent.MigrationFailureTest.goesOn;
import static io.godwit.agent.MigrationFailureTest.prepared;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.device.DeviceFault;
import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceModels;
import io.godwit.device.DeviceOperation;
import io.godwit.device.DeviceState;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Devices that cannot be migrated, break, hang or lie, at either side; the test plays coordinator and ledger. */
class DeviceFailureTest {
    private final DeviceFaults atSource = new DeviceFaults();
    private final DeviceFaults atDestination = new DeviceFaults();

    /** The switches are those of the GPU; other devices work. */
    private TwoHosts hosts() throws IOException {
        return new TwoHosts(
                name -> name.equals("gpu0") ? atSource : new DeviceFaults(),
                name -> name.equals("gpu0") ? atDestination : new DeviceFaults(),
                DeviceModels::withFaults);
    }

    private static void switchedOver(TwoHosts hosts) {
        hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
        awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
        hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
    }

    @Test
    void severalDevicesOfWhichOneLacksPeerToPeerAreRefusedOnBothSidesByName() throws IOException {
        VmSpec spec = TwoHosts.spec("vm-1", "soft", 32, List.of(TwoHosts.gpu("gpu0"), TwoHosts.nic("nic0")));
        String reason =
                "VM vm-1 has 2 devices, and to be migrated each of several must support P2P: nic0 (model nic) does not";
        try (TwoHosts hosts = hosts()) {
            hosts.create(spec);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 1, TwoHosts.options()));
            assertThat(hosts.await(MigrationReport.IncomingFailed.class))
                    .isEqualTo(new MigrationReport.IncomingFailed("m-1", "host-b", reason));
            hosts.a.tell(begin(new DataEndpoint("127.0.0.1", 9), TwoHosts.options()));
            assertThat(hosts.await(MigrationReport.SaveFailed.class))
                    .isEqualTo(new MigrationReport.SaveFailed("m-1", "host-a", reason, false, false, List.of()));
            goesOn(hosts, 1);
        }
    }

    @Test
    void aDeviceThatBreaksWhenItIsToStopIsResetAndItsVmGoesOnAtTheSource() throws IOException {
        try (TwoHosts hosts = hosts()) {
            atSource.on(DeviceState.STOP_COPY, DeviceFault.BREAK);
            switchedOver(hosts);
            MigrationReport.SaveFailed failed = awaitPast(hosts, MigrationReport.SaveFailed.class);
            assertThat(failed.surrendered()).isTrue();
            assertThat(failed.reason())
                    .startsWith(
                            "stopping: device gpu0 failed in VM_STATE_CHANGED: device gpu0 broke in the step to STOP_COPY");
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(running.states().getLast()).isEqualTo(new StateTriple("RUNNING", "FAILED", "_RUNNING"));
            goesOn(hosts, 2);
        }
    }

    @Test
    void aDeviceThatHangsInPreCopyFailsTheMigrationAndIsTakenOutOfItOnceItIsBack() throws IOException {
        try (TwoHosts hosts = hosts()) {
            atSource.on(DeviceOperation.READ, DeviceFault.STALL);
            hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
            MigrationReport.SaveFailed failed = awaitPast(hosts, MigrationReport.SaveFailed.class);
            assertThat(failed.surrendered()).isFalse();
            assertThat(failed.reason())
                    .contains("device gpu0 failed in SAVE_LIVE_")
                    .contains("has not come back within 4000 ms");
            hosts.inventory(
                    hosts.a,
                    inventory -> inventory.vms().stream()
                            .allMatch(vm -> vm.runState() == RunState.RUNNING && vm.epoch() == 1));
            atSource.clear();
            hosts.awaitCheckable(hosts.a, "vm-1");
            goesOn(hosts, 1);
        }
    }

    @Test
    void aDeviceThatHangsWhenItIsToStopLeavesItsVmToBeStartedOnceItIsBack() throws IOException {
        try (TwoHosts hosts = hosts()) {
            atSource.on(DeviceState.STOP_COPY, DeviceFault.STALL);
            switchedOver(hosts);
            MigrationReport.SaveFailed failed = awaitPast(hosts, MigrationReport.SaveFailed.class);
            assertThat(failed.surrendered()).isTrue();
            assertThat(failed.reason())
                    .startsWith("stopping: device gpu0 failed in VM_STATE_CHANGED: has not come back within 4000 ms");
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.CommandRefused refused = awaitPast(hosts, MigrationReport.CommandRefused.class);
            assertThat(refused.reason())
                    .contains("did not start")
                    .contains("gpu0")
                    .contains("still busy");
            atSource.clear();
            // the device's late step into STOP_COPY is undone by the way it walks from there
            MigrationReport.VmRunning running = null;
            while (running == null) {
                hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
                MigrationReport said = awaitPast(hosts, MigrationReport.class);
                running = said instanceof MigrationReport.VmRunning runs
                                && runs.host().equals("host-a")
                        ? runs
                        : null;
            }
            assertThat(running.epoch()).isEqualTo(2);
            goesOn(hosts, 2);
        }
    }

    @Test
    void aDeviceThatTakesItsStateInWronglyIsFoundByTheDigestsBeforeItMayRun() throws IOException {
        try (TwoHosts hosts = hosts()) {
            atDestination.on(DeviceOperation.WRITE, DeviceFault.WRONG);
            switchedOver(hosts);
            MigrationReport failed = bothFail(hosts).get("host-b");
            assertThat(failed)
                    .isInstanceOfSatisfying(
                            MigrationReport.IncomingFailed.class,
                            incoming -> assertThat(incoming.reason())
                                    .contains("device gpu0")
                                    .contains("digest"));
            hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            awaitPast(hosts, MigrationReport.VmRunning.class);
            goesOn(hosts, 2);
        }
    }

    @Test
    void aDeviceThatEndsItsStateTooEarlyIsFoundByTheDestinationsDeviceBeforeItMayRun() throws IOException {
        try (TwoHosts hosts = hosts()) {
            hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
            awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
            atSource.on(DeviceOperation.READ, DeviceFault.ENDED);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            assertThat(bothFail(hosts).get("host-b"))
                    .isInstanceOfSatisfying(
                            MigrationReport.IncomingFailed.class,
                            incoming -> assertThat(incoming.reason())
                                    .startsWith("load_cleanup: device gpu0 failed in LOAD_CLEANUP: device gpu0 has not"
                                            + " got all of its state: "));
            atSource.clear();
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            awaitPast(hosts, MigrationReport.VmRunning.class);
            goesOn(hosts, 2);
        }
    }

    @Test
    void aDeviceThatHangsAtTheDestinationIsNamedAndItsCopyIsDestroyed() throws IOException {
        try (TwoHosts hosts = hosts()) {
            atDestination.on(DeviceOperation.WRITE, DeviceFault.STALL);
            hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
            MigrationReport failed = bothFail(hosts).get("host-b");
            assertThat(failed)
                    .isInstanceOfSatisfying(
                            MigrationReport.IncomingFailed.class,
                            incoming -> assertThat(incoming.reason())
                                    .contains("device gpu0 failed in LOAD_STATE: has not come back within 4000 ms"));
            hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
            goesOn(hosts, 1);
        }
    }
}
