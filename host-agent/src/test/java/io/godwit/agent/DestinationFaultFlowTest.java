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
 * Something fails at the destination: while it loads, once it has loaded, and when it is to run. Before the commit its copy
 * is destroyed and the VM goes on at the source; from then on it is the only one that may run, and is kept.
 */
class DestinationFaultFlowTest {
    /** What the destination cannot take in: the fault and the hook that its reason names. */
    record Refusal(Fault fault, String reason) {
        @Override
        public String toString() {
            return fault.toString();
        }
    }

    static List<Refusal> atTheDestination() {
        Consumer<FaultyHosts> noConfig =
                faults -> faults.destination().on(DeviceOperation.LOAD_CONFIG, DeviceFault.FAIL);
        Consumer<FaultyHosts> noWrite = faults -> faults.destination().on(DeviceOperation.WRITE, DeviceFault.FAIL);
        return List.of(
                new Refusal(
                        new Fault("a chunk is refused", DeviceSet.GPU, When.AT_ONCE, noWrite),
                        "device gpu0 failed in LOAD_STATE"),
                new Refusal(
                        new Fault("a chunk is refused", DeviceSet.NIC, When.AT_ONCE, noWrite),
                        "device nic0 failed in LOAD_STATE"),
                new Refusal(
                        new Fault("the config space is refused", DeviceSet.GPU, When.AT_ONCE, noConfig),
                        "device gpu0 failed in LOAD_STATE"),
                new Refusal(
                        new Fault("the config space is refused", DeviceSet.NIC, When.AT_ONCE, noConfig),
                        "device nic0 failed in LOAD_STATE"),
                new Refusal(
                        new Fault("the config space is refused", DeviceSet.TWO_GPUS, When.AT_ONCE, noConfig),
                        "device gpu1 failed in LOAD_STATE"));
    }

    @ParameterizedTest
    @MethodSource("atTheDestination")
    void aDestinationThatCannotLoadIsDestroyedAndTheVmGoesOnAtTheSource(Refusal refusal) throws IOException {
        try (FaultyHosts faults = new FaultyHosts(refusal.fault.set())) {
            Move move = new Move(faults.hosts, Move.calm(refusal.fault.set().devices())).create();
            faults.switchOn(refusal.fault, When.AT_ONCE);
            move.begin(move.prepare());
            MigrationReport.SaveFailed failed = null;
            MigrationReport.IncomingFailed refused = null;
            while (failed == null || refused == null) {
                switch (move.await(MigrationReport.class)) {
                    case MigrationReport.SaveFailed report -> failed = report;
                    case MigrationReport.IncomingFailed report -> refused = report;
                    case MigrationReport.ReadyToSwitchOver _ -> move.switchOver();
                    default -> {}
                }
            }
            assertThat(refused.reason()).contains(refusal.reason);
            long epoch = failed.surrendered() ? 2 : 1;
            if (failed.surrendered()) {
                move.assertWaitsForTheLedger();
                move.runAtSource();
                assertThat(move.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-a");
            }
            for (DeviceSpec device : move.spec.devices()) {
                assertThat(faults.hosts
                                .history(faults.hosts.a, device.name())
                                .getLast()
                                .states())
                        .as(device.name())
                        .containsExactly(DeviceState.RUNNING);
            }
            move.awaitNothingAtDestination();
            assertThat(faults.hosts.runs).noneMatch(run -> run.startsWith("host-b"));
            move.awaitWritesOn(faults.hosts.a, epoch);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void aStreamThatBreaksOnceAllIsLoadedKeepsNobodyFromTheCommit(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.untilLoaded();
            move.awaitFlows(
                    hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.STOP, Stretch.COPY, Stretch.REST);
            hosts.cut();
            assertThat(move.await(MigrationReport.SaveFailed.class).surrendered())
                    .isTrue();
            move.assertWaitsForTheLedger();
            move.runAtDestination();
            move.await(MigrationReport.VmRunning.class);
            assertThat(Move.lines(move.release().states()))
                    .isEqualTo(set.triples(
                            "RUNNING NONE running",
                            "RUNNING SETUP preCopy",
                            "RUNNING ACTIVE preCopy",
                            "FINISH_MIGRATE DEVICE saving",
                            "FINISH_MIGRATE DEVICE stopped",
                            "FINISH_MIGRATE COMPLETED stopped"));
            assertThat(hosts.runs)
                    .containsExactly("host-a runs under 1", "host-a stops under 1", "host-b runs under 2");
            move.awaitWritesOn(hosts.b, 2);
        }
    }

    /** A step that fails when the committed destination is to run, and what the last device and the others have done. */
    record NoStart(Fault fault, List<Object> last, List<Object> others) {
        @Override
        public String toString() {
            return fault.toString();
        }
    }

    static List<NoStart> atTheStart() {
        List<Object> barrier = List.of(Stretch.LOAD, "VM_STATE_CHANGED(RUNNING, prepare) STOP>RUNNING_P2P");
        return List.of(
                new NoStart(
                        new Fault(
                                "the P2P barrier fails",
                                DeviceSet.TWO_GPUS,
                                When.LOADED,
                                faults -> faults.destination().on(DeviceState.RUNNING_P2P, DeviceFault.FAIL)),
                        List.of(
                                Stretch.LOAD,
                                "VM_STATE_CHANGED(RUNNING, prepare) STOP !",
                                "MIGRATION_STATUS_CHANGED(FAILED) STOP"),
                        List.of(barrier, "MIGRATION_STATUS_CHANGED(FAILED) RUNNING_P2P")),
                new NoStart(
                        new Fault(
                                "the start fails",
                                DeviceSet.TWO_GPUS,
                                When.LOADED,
                                faults -> faults.destination().on(DeviceState.RUNNING, DeviceFault.FAIL)),
                        List.of(
                                barrier,
                                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P !",
                                "MIGRATION_STATUS_CHANGED(FAILED) RUNNING_P2P"),
                        List.of(
                                barrier,
                                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P>RUNNING",
                                "MIGRATION_STATUS_CHANGED(FAILED) RUNNING")),
                new NoStart(
                        new Fault(
                                "the start fails",
                                DeviceSet.NIC,
                                When.LOADED,
                                faults -> faults.destination().on(DeviceState.RUNNING, DeviceFault.FAIL)),
                        List.of(
                                Stretch.LOAD,
                                "VM_STATE_CHANGED(RUNNING, prepare) STOP",
                                "VM_STATE_CHANGED(RUNNING) STOP !",
                                "MIGRATION_STATUS_CHANGED(FAILED) STOP"),
                        List.of()),
                new NoStart(
                        new Fault(
                                "the start breaks the device",
                                DeviceSet.GPU,
                                When.LOADED,
                                faults -> faults.destination().on(DeviceState.RUNNING, DeviceFault.BREAK)),
                        List.of(
                                barrier,
                                "VM_STATE_CHANGED(RUNNING) RUNNING_P2P>ERROR !",
                                "MIGRATION_STATUS_CHANGED(FAILED) ERROR>RUNNING>RUNNING_P2P>STOP"),
                        List.of()));
    }

    @ParameterizedTest
    @MethodSource("atTheStart")
    void aCommittedDestinationThatDoesNotStartIsKeptAndStartsWhenToldAgain(NoStart row) throws IOException {
        try (FaultyHosts faults = new FaultyHosts(row.fault.set())) {
            Move move = new Move(faults.hosts, Move.calm(row.fault.set().devices())).create();
            move.untilLoaded();
            faults.switchOn(row.fault, When.LOADED);
            move.runAtDestination();
            MigrationReport.CommandRefused refused = move.await(MigrationReport.CommandRefused.class);
            assertThat(refused.command()).isEqualTo("RunVm");
            assertThat(refused.reason())
                    .contains("granted epoch 2, but it did not start")
                    .contains(faults.last());
            for (DeviceSpec device : move.spec.devices()) {
                move.awaitFlow(
                        faults.hosts.b,
                        device.name(),
                        DeviceFlow.of(device, move.spec.devices())
                                .through(device.name().equals(faults.last()) ? row.last : row.others));
            }
            assertThat(faults.hosts.runs).containsExactly("host-a runs under 1", "host-a stops under 1");
            faults.destination().clear();
            move.runAtDestination();
            assertThat(move.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
            move.release();
            move.awaitWritesOn(faults.hosts.b, 2);
        }
    }
}
