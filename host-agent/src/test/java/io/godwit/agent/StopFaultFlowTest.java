package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.DeviceFlow.Stretch;
import io.godwit.agent.FaultyHosts.Fault;
import io.godwit.agent.FaultyHosts.When;
import io.godwit.device.DeviceFault;
import io.godwit.device.DeviceOperation;
import io.godwit.device.DeviceState;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.DeviceSpec;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Something fails at the source once it has surrendered: what the VM and its devices went through, that the VM stands
 * still until the ledger gives it back, and that it runs on then.
 */
class StopFaultFlowTest {
    private static final List<String> IN_PRE_COPY = List.of(
            "RUNNING NONE running", "RUNNING SETUP preCopy", "RUNNING ACTIVE preCopy", "RUNNING FAILED running");
    private static final List<String> AFTER_THE_STOP = List.of(
            "RUNNING NONE running",
            "RUNNING SETUP preCopy",
            "RUNNING ACTIVE preCopy",
            "FINISH_MIGRATE DEVICE saving",
            "RUNNING FAILED running");

    /** A fault, what the reason says of it, the triples of the source, the flow of the last device and of the others. */
    record Row(Fault fault, String reason, List<String> triples, List<Object> last, List<Object> others) {
        @Override
        public String toString() {
            return fault.toString();
        }
    }

    static List<Row> atTheStop() {
        List<Object> toPreCopy = List.of(Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY);
        List<Object> barrierOnly = List.of(
                toPreCopy,
                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY>PRE_COPY_P2P",
                "MIGRATION_STATUS_CHANGED(FAILED) PRE_COPY_P2P>RUNNING_P2P",
                "VM_STATE_CHANGED(RUNNING, prepare) RUNNING_P2P",
                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING",
                "CLEANUP RUNNING");
        List<Object> stopped = List.of(toPreCopy, Stretch.STOP, Stretch.BACK_FROM_COPY);
        List<Object> notAllGiven =
                List.of(toPreCopy, Stretch.STOP, "SAVE_LIVE_COMPLETE_PRECOPY STOP_COPY !", Stretch.BACK_FROM_COPY);
        List<Object> allGiven = List.of(toPreCopy, Stretch.STOP, Stretch.COPY, Stretch.BACK_FROM_COPY);
        Consumer<FaultyHosts> noBarrier = faults -> faults.source().on(DeviceState.PRE_COPY_P2P, DeviceFault.FAIL);
        Consumer<FaultyHosts> noStop = faults -> faults.source().on(DeviceState.STOP_COPY, DeviceFault.FAIL);
        Consumer<FaultyHosts> breaksAtStop = faults -> faults.source().on(DeviceState.STOP_COPY, DeviceFault.BREAK);
        Consumer<FaultyHosts> noRead = faults -> faults.source().on(DeviceOperation.READ, DeviceFault.FAIL);
        Consumer<FaultyHosts> wire = faults -> faults.hosts.sending.turnBack();
        return List.of(
                new Row(
                        new Fault("the P2P barrier fails", DeviceSet.GPU, When.READY, noBarrier),
                        "stopping: device gpu0 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(toPreCopy, "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY !", Stretch.GIVE_UP),
                        List.of()),
                new Row(
                        new Fault("the P2P barrier fails", DeviceSet.TWO_GPUS, When.READY, noBarrier),
                        "stopping: device gpu1 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(toPreCopy, "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY !", Stretch.GIVE_UP),
                        barrierOnly),
                new Row(
                        new Fault("the stop fails", DeviceSet.TWO_GPUS, When.READY, noStop),
                        "stopping: device gpu1 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(
                                toPreCopy,
                                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY>PRE_COPY_P2P",
                                "VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY_P2P !",
                                "MIGRATION_STATUS_CHANGED(FAILED) PRE_COPY_P2P>RUNNING_P2P",
                                "VM_STATE_CHANGED(RUNNING, prepare) RUNNING_P2P",
                                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING",
                                "CLEANUP RUNNING"),
                        stopped),
                new Row(
                        new Fault("the stop fails", DeviceSet.NIC, When.READY, noStop),
                        "stopping: device nic0 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(
                                toPreCopy,
                                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY",
                                "VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY !",
                                Stretch.GIVE_UP),
                        List.of()),
                new Row(
                        new Fault("the stop breaks the device", DeviceSet.TWO_GPUS, When.READY, breaksAtStop),
                        "stopping: device gpu1 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(
                                toPreCopy,
                                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY>PRE_COPY_P2P",
                                "VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY_P2P>ERROR !",
                                "MIGRATION_STATUS_CHANGED(FAILED) ERROR>RUNNING>RUNNING_P2P>STOP",
                                "VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P",
                                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING",
                                "CLEANUP RUNNING"),
                        stopped),
                new Row(
                        new Fault("the stop breaks the device", DeviceSet.NIC, When.READY, breaksAtStop),
                        "stopping: device nic0 failed in VM_STATE_CHANGED",
                        IN_PRE_COPY,
                        List.of(
                                toPreCopy,
                                "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY",
                                "VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY>ERROR !",
                                "MIGRATION_STATUS_CHANGED(FAILED) ERROR>RUNNING>STOP",
                                "VM_STATE_CHANGED(RUNNING, prepare) STOP",
                                "VM_STATE_CHANGED(RUNNING) STOP>RUNNING",
                                "CLEANUP RUNNING"),
                        List.of()),
                new Row(
                        new Fault("save_live_complete_precopy fails", DeviceSet.GPU, When.READY, noRead),
                        "device gpu0 failed in SAVE_LIVE_COMPLETE_PRECOPY",
                        AFTER_THE_STOP,
                        notAllGiven,
                        List.of()),
                new Row(
                        new Fault("save_live_complete_precopy fails", DeviceSet.NIC, When.READY, noRead),
                        "device nic0 failed in SAVE_LIVE_COMPLETE_PRECOPY",
                        AFTER_THE_STOP,
                        notAllGiven,
                        List.of()),
                new Row(
                        new Fault("save_live_complete_precopy fails", DeviceSet.TWO_GPUS, When.READY, noRead),
                        "device gpu1 failed in SAVE_LIVE_COMPLETE_PRECOPY",
                        AFTER_THE_STOP,
                        notAllGiven,
                        allGiven),
                new Row(
                        new Fault("the wire breaks", DeviceSet.NONE, When.READY, wire),
                        "turned back at a gate",
                        AFTER_THE_STOP,
                        stopped,
                        stopped),
                new Row(
                        new Fault("the wire breaks", DeviceSet.GPU, When.READY, wire),
                        "last RAM pages: turned back at a gate",
                        AFTER_THE_STOP,
                        stopped,
                        stopped),
                new Row(
                        new Fault("the wire breaks", DeviceSet.NIC, When.READY, wire),
                        "last RAM pages: turned back at a gate",
                        AFTER_THE_STOP,
                        stopped,
                        stopped));
    }

    @ParameterizedTest
    @MethodSource("atTheStop")
    void aFaultAfterTheSurrenderLeavesTheVmStandingUntilTheLedgerGivesItBack(Row row) throws IOException {
        try (FaultyHosts faults = new FaultyHosts(row.fault.set())) {
            Move move = Move.ofAnIdleGuest(
                            faults.hosts, Move.calm(row.fault.set().devices()))
                    .create();
            move.beginUntilReady(move.prepare());
            move.awaitAllSent();
            faults.switchOn(row.fault, When.READY);
            move.switchOver();
            MigrationReport.SaveFailed failed = move.await(MigrationReport.SaveFailed.class);
            assertThat(failed.reason()).contains(row.reason);
            assertThat(failed.surrendered()).isTrue();
            move.assertWaitsForTheLedger();
            faults.source().clear();
            assertGivenBack(move, row.fault.set().triples(row.triples));
            assertFlows(move, row);
            move.discard();
            move.awaitNothingAtDestination();
            move.awaitWritesOn(faults.hosts.a, 2);
        }
    }

    private static void assertFlows(Move move, Row row) {
        String last = move.spec.devices().isEmpty()
                ? ""
                : move.spec.devices().getLast().name();
        for (DeviceSpec device : move.spec.devices()) {
            move.awaitFlow(
                    move.hosts.a,
                    device.name(),
                    DeviceFlow.of(device, move.spec.devices())
                            .through(device.name().equals(last) ? row.last : row.others));
        }
    }

    private static void assertGivenBack(Move move, List<String> triples) {
        move.runAtSource();
        MigrationReport.VmRunning running = move.await(MigrationReport.VmRunning.class);
        assertThat(running.host()).isEqualTo("host-a");
        assertThat(Move.lines(running.states())).isEqualTo(triples);
        assertThat(move.hosts.runs)
                .containsExactly("host-a runs under 1", "host-a stops under 1", "host-a runs under 2");
    }
}
