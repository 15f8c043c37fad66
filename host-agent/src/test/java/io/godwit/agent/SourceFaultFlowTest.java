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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Something fails before the source has surrendered: what the VM and its devices went through, and that the VM runs on as
 * if nothing had been.
 */
class SourceFaultFlowTest {
    private static final List<String> NOT_SET_UP = List.of("RUNNING NONE running", "RUNNING FAILED running");
    private static final List<String> IN_PRE_COPY = List.of(
            "RUNNING NONE running", "RUNNING SETUP preCopy", "RUNNING ACTIVE preCopy", "RUNNING FAILED running");
    /** A fault, what the reason says of it, the triples of the source, the flow of the last device and of the others. */
    record Row(Fault fault, String reason, List<String> triples, List<Object> last, List<Object> others) {
        @Override
        public String toString() {
            return fault.toString();
        }
    }

    static List<Row> beforeTheStop() {
        List<Object> untouched = List.of(Stretch.BOOT, Stretch.UNTOUCHED);
        List<Object> gaveUp = List.of(Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.GIVE_UP);
        List<Object> setUpOnly = List.of(Stretch.BOOT, Stretch.SETUP, Stretch.GIVE_UP);
        List<Object> notSetUp = List.of(Stretch.BOOT, "SAVE_SETUP RUNNING !", Stretch.UNTOUCHED);
        List<Object> brokenInSetup = List.of(
                Stretch.BOOT,
                "SAVE_SETUP RUNNING>ERROR !",
                "MIGRATION_STATUS_CHANGED(FAILED) ERROR>RUNNING",
                "VM_STATE_CHANGED(RUNNING, prepare) RUNNING",
                "VM_STATE_CHANGED(RUNNING) RUNNING",
                "CLEANUP RUNNING");
        Consumer<FaultyHosts> noPreCopy = faults -> faults.source().on(DeviceState.PRE_COPY, DeviceFault.FAIL);
        Consumer<FaultyHosts> breaksInSetup = faults -> faults.source().on(DeviceState.PRE_COPY, DeviceFault.BREAK);
        Consumer<FaultyHosts> noLoadSetup = faults -> faults.destination().on(DeviceState.RESUMING, DeviceFault.FAIL);
        Consumer<FaultyHosts> breaksInLoadSetup =
                faults -> faults.destination().on(DeviceState.RESUMING, DeviceFault.BREAK);
        Consumer<FaultyHosts> wire = faults -> faults.hosts.sending.turnBack();
        return List.of(
                new Row(
                        new Fault("load_setup fails", DeviceSet.GPU, When.AT_ONCE, noLoadSetup),
                        "device gpu0 failed in LOAD_SETUP",
                        NOT_SET_UP,
                        untouched,
                        untouched),
                new Row(
                        new Fault("load_setup breaks the device", DeviceSet.NIC, When.AT_ONCE, breaksInLoadSetup),
                        "device nic0 failed in LOAD_SETUP",
                        NOT_SET_UP,
                        untouched,
                        untouched),
                new Row(
                        new Fault("save_setup fails", DeviceSet.GPU, When.AT_ONCE, noPreCopy),
                        "device gpu0 failed in SAVE_SETUP",
                        NOT_SET_UP,
                        notSetUp,
                        untouched),
                new Row(
                        new Fault("save_setup fails", DeviceSet.NIC, When.AT_ONCE, noPreCopy),
                        "device nic0 failed in SAVE_SETUP",
                        NOT_SET_UP,
                        notSetUp,
                        untouched),
                new Row(
                        new Fault("save_setup fails", DeviceSet.TWO_GPUS, When.AT_ONCE, noPreCopy),
                        "device gpu1 failed in SAVE_SETUP",
                        NOT_SET_UP,
                        notSetUp,
                        setUpOnly),
                new Row(
                        new Fault("save_setup breaks the device", DeviceSet.GPU, When.AT_ONCE, breaksInSetup),
                        "device gpu0 failed in SAVE_SETUP",
                        NOT_SET_UP,
                        brokenInSetup,
                        untouched),
                new Row(
                        new Fault("save_setup breaks the device", DeviceSet.NIC, When.AT_ONCE, breaksInSetup),
                        "device nic0 failed in SAVE_SETUP",
                        NOT_SET_UP,
                        brokenInSetup,
                        untouched),
                new Row(
                        new Fault(
                                "save_live_iterate fails",
                                DeviceSet.GPU,
                                When.AT_ONCE,
                                faults -> faults.source().on(DeviceOperation.READ, DeviceFault.FAIL)),
                        "device gpu0 failed in SAVE_LIVE_ITERATE",
                        IN_PRE_COPY,
                        List.of(
                                Stretch.BOOT,
                                Stretch.SETUP,
                                "SAVE_LIVE_PENDING PRE_COPY",
                                "SAVE_LIVE_ITERATE PRE_COPY !",
                                Stretch.GIVE_UP),
                        gaveUp),
                new Row(
                        new Fault("the wire breaks", DeviceSet.NONE, When.READY, wire),
                        "turned back at a gate",
                        IN_PRE_COPY,
                        gaveUp,
                        gaveUp),
                new Row(
                        new Fault("the wire breaks", DeviceSet.GPU, When.READY, wire),
                        "turned back at a gate",
                        IN_PRE_COPY,
                        gaveUp,
                        gaveUp),
                new Row(
                        new Fault("the wire breaks", DeviceSet.NIC, When.READY, wire),
                        "turned back at a gate",
                        IN_PRE_COPY,
                        gaveUp,
                        gaveUp));
    }

    @ParameterizedTest
    @MethodSource("beforeTheStop")
    void aFaultBeforeTheStopEndsTheMigrationAndTheVmNeverStoodStill(Row row) throws IOException {
        try (FaultyHosts faults = new FaultyHosts(row.fault.set())) {
            Move move = new Move(faults.hosts, Move.calm(row.fault.set().devices())).create();
            faults.switchOn(row.fault, When.AT_ONCE);
            move.begin(move.prepare());
            if (row.fault.when() == When.READY) {
                move.await(MigrationReport.ReadyToSwitchOver.class);
                move.awaitDevicesGivenOut();
                faults.switchOn(row.fault, When.READY);
            }
            assertFailedBeforeTheStop(move, row.reason, row.fault.set().triples(row.triples));
            assertFlows(move, row);
            assertGoesOnHavingNeverStopped(move);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void aPassThatFailsWhileItHoldsUpTheStopEndsTheMigrationAndTheVmNeverStoodStill(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, Move.calm(set.devices())).create();
            move.beginUntilReady(move.prepare());
            move.awaitDevicesGivenOut();
            hosts.sending.shut();
            hosts.sending.awaitReached();
            move.switchOver();
            move.awaitSurrendered();
            hosts.sending.turnBack();
            assertFailedBeforeTheStop(move, "before the stop: turned back at a gate", set.triples(IN_PRE_COPY));
            move.awaitFlows(hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.GIVE_UP);
            assertGoesOnHavingNeverStopped(move);
        }
    }

    @Test
    void aPreambleThatDoesNotFitIsRefusedAndNothingWasTouched() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, DeviceSet.GPU.devices()).create();
            Move other = new Move(hosts, DeviceSet.NIC.devices());
            move.begin(other.prepare());
            assertFailedBeforeTheStop(move, "expected [nic0=nic/1+]", DeviceSet.GPU.triples(NOT_SET_UP));
            move.awaitFlows(hosts.a, Stretch.BOOT, Stretch.UNTOUCHED);
            assertGoesOnHavingNeverStopped(move);
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

    private static void assertFailedBeforeTheStop(Move move, String reason, List<String> triples) {
        MigrationReport.SaveFailed failed = move.await(MigrationReport.SaveFailed.class);
        assertThat(failed.reason()).contains(reason);
        assertThat(failed.cancelled()).isFalse();
        assertThat(failed.surrendered()).isFalse();
        assertThat(Move.lines(failed.states())).isEqualTo(triples);
    }

    private static void assertGoesOnHavingNeverStopped(Move move) {
        assertThat(move.hosts.runs).as("it never stopped").containsExactly("host-a runs under 1");
        move.discard();
        move.awaitNothingAtDestination();
        move.awaitWritesOn(move.hosts.a, 1);
    }
}
