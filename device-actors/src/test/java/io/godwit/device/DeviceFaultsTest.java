package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.typesafe.config.ConfigFactory;
import io.godwit.proto.vm.DeviceSpec;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every fault of every operation and step, and where a migration finds it. */
@Timeout(60)
class DeviceFaultsTest {
    private static final ActorTestKit KIT =
            ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
    private static final ManualTime TIME = ManualTime.get(KIT.system());
    private static final ExecutorService POOL = Executors.newVirtualThreadPerTaskExecutor();
    private static final String LATE = "has not come back within 15000 ms";

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
        POOL.close();
    }

    private static DeviceSpec spec(String model) {
        return switch (model) {
            case "gpu" -> Machine.gpu(3 << 20, 1 << 20, 1 << 20);
            case "vnic" -> Machine.vnic(300_000);
            default -> Machine.nic(300_000);
        };
    }

    private static void on(DeviceFaults faults, String point, DeviceFault fault) {
        if (Arrays.stream(DeviceOperation.values()).anyMatch(o -> o.name().equals(point))) {
            faults.on(DeviceOperation.valueOf(point), fault);
        } else {
            faults.on(DeviceState.valueOf(point), fault);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # model | side  | in              | hook
            gpu  | source | PRE_COPY        | SAVE_SETUP
            gpu  | source | PRE_COPY_P2P    | VM_STATE_CHANGED
            gpu  | source | STOP_COPY       | VM_STATE_CHANGED
            gpu  | source | STOP            | CLEANUP
            gpu  | source | PRECOPY_INFO    | SAVE_LIVE_PENDING
            gpu  | source | STOP_COPY_BYTES | SAVE_LIVE_PENDING
            gpu  | source | READ            | SAVE_LIVE_ITERATE
            gpu  | source | SAVE_CONFIG     | SAVE_LIVE_COMPLETE_PRECOPY
            gpu  | source | DIGEST          | SAVE_LIVE_COMPLETE_PRECOPY
            gpu  | target | RESUMING        | LOAD_SETUP
            gpu  | target | WRITE           | LOAD_STATE
            gpu  | target | LOAD_CONFIG     | LOAD_STATE
            gpu  | target | STOP            | LOAD_CLEANUP
            gpu  | target | DIGEST          | LOAD_CLEANUP
            gpu  | target | RUNNING_P2P     | VM_STATE_CHANGED
            gpu  | target | RUNNING         | VM_STATE_CHANGED
            vnic | source | RUNNING_P2P     | VM_STATE_CHANGED
            vnic | source | STOP            | VM_STATE_CHANGED
            vnic | source | STOP_COPY       | VM_STATE_CHANGED
            vnic | source | READ            | SAVE_LIVE_COMPLETE_PRECOPY
            nic  | source | PRE_COPY        | SAVE_SETUP
            nic  | source | STOP_COPY       | VM_STATE_CHANGED
            nic  | source | STOP            | CLEANUP
            nic  | source | PRECOPY_INFO    | SAVE_LIVE_PENDING
            nic  | source | STOP_COPY_BYTES | SAVE_LIVE_PENDING
            nic  | source | READ            | SAVE_LIVE_COMPLETE_PRECOPY
            nic  | source | SAVE_CONFIG     | SAVE_LIVE_COMPLETE_PRECOPY
            nic  | source | DIGEST          | SAVE_LIVE_COMPLETE_PRECOPY
            nic  | target | RESUMING        | LOAD_SETUP
            nic  | target | WRITE           | LOAD_STATE
            nic  | target | LOAD_CONFIG     | LOAD_STATE
            nic  | target | STOP            | LOAD_CLEANUP
            nic  | target | DIGEST          | LOAD_CLEANUP
            nic  | target | RUNNING         | VM_STATE_CHANGED
            """)
    void whatFailsBreaksOrStallsIsToldByDeviceHookAndReason(String model, String side, String point, String hook)
            throws Exception {
        for (DeviceFault fault : new DeviceFault[] {DeviceFault.FAIL, DeviceFault.BREAK, DeviceFault.STALL}) {
            try (Move move = new Move(KIT, TIME, spec(model), POOL)) {
                move.boot();
                boolean atSource = side.equals("source");
                DeviceFaults faults = atSource ? move.from.faults : move.to.faults;
                on(faults, point, fault);
                Throwable ended = catchThrowable(move::migrate);
                String reason = fault == DeviceFault.STALL ? LATE : "fault switched on";
                assertThat(ended)
                        .as("%s", fault)
                        .isInstanceOf(Move.Ended.class)
                        .hasMessageStartingWith(side + ": device " + spec(model).name() + " failed in " + hook + ": ")
                        .hasMessageContaining(reason);
                if (fault == DeviceFault.BREAK) {
                    assertThat(ended).hasMessageEndingWith("(it stands in ERROR)");
                }
                faults.clear();
                if (atSource && !hook.equals("CLEANUP")) {
                    awaitBack(move);
                    move.rollBack();
                    assertThat(move.from.device.state()).isEqualTo(DeviceState.RUNNING);
                    long writes = move.from.device.dmaWrites();
                    move.from.ticker.pass(100);
                    assertThat(move.from.device.dmaWrites())
                            .as("it works again")
                            .isGreaterThan(writes);
                }
            }
        }
    }

    private static void awaitBack(Move move) {
        while (((Device.Described) move.ask(move.source, Device.Describe::new)).busy()) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # model | side | in             | fault | what is found, and where
            gpu  | source | PRE_COPY        | WRONG | source: device gpu0 failed in SAVE_SETUP: device gpu0 stands in RUNNING after its step; expected PRE_COPY (it stands in RUNNING)
            gpu  | source | STOP_COPY       | WRONG | source: device gpu0 failed in VM_STATE_CHANGED: device gpu0 stands in PRE_COPY_P2P after its step; expected STOP_COPY (it stands in PRE_COPY_P2P)
            gpu  | source | PRECOPY_INFO    | WRONG | source: device gpu0 failed in SAVE_LIVE_PENDING: device gpu0 says that -1 initial, -1 dirty and
            gpu  | source | STOP_COPY_BYTES | WRONG | and -1 stop-copy bytes are pending; expected none below 0
            gpu  | source | READ            | SHORT | target: device gpu0 failed in LOAD_STATE: device gpu0 refuses a chunk: block 0 of
            gpu  | source | READ            | ENDED | target: device gpu0 failed in LOAD_CLEANUP: device gpu0 has not got all of its state: nothing came for the bytes from 0
            gpu  | source | READ            | WRONG | target: device gpu0 failed in LOAD_STATE: device gpu0 refuses a chunk: block 0 is damaged: its CRC32C differs
            gpu  | source | SAVE_CONFIG     | SHORT | target: device gpu0 failed in LOAD_STATE: device gpu0 refuses a config space: 128 bytes; expected 256
            gpu  | source | SAVE_CONFIG     | WRONG | target: device gpu0 failed in LOAD_STATE: device gpu0 refuses a config space: it is damaged
            gpu  | source | DIGEST          | WRONG | both: the digests differ
            gpu  | target | RESUMING        | WRONG | target: device gpu0 failed in LOAD_SETUP: device gpu0 stands in STOP after its step; expected RESUMING
            gpu  | target | WRITE           | SHORT | target: device gpu0 failed in LOAD_STATE: device gpu0 took in
            gpu  | target | WRITE           | WRONG | both: the digests differ
            gpu  | target | LOAD_CONFIG     | WRONG | both: the digests differ
            gpu  | target | STOP            | WRONG | target: device gpu0 failed in LOAD_CLEANUP: device gpu0 stands in RESUMING after its step; expected STOP
            gpu  | target | DIGEST          | WRONG | both: the digests differ
            gpu  | target | RUNNING         | WRONG | target: device gpu0 failed in VM_STATE_CHANGED: device gpu0 stands in RUNNING_P2P after its step; expected RUNNING
            vnic | source | READ            | ENDED | target: device vnic0 failed in LOAD_CLEANUP: device vnic0 has not got all of its state: nothing came for the bytes from 0
            nic  | source | PRE_COPY        | WRONG | source: device nic0 failed in SAVE_SETUP: device nic0 stands in RUNNING after its step; expected PRE_COPY
            nic  | source | STOP_COPY       | WRONG | source: device nic0 failed in VM_STATE_CHANGED: device nic0 stands in PRE_COPY after its step; expected STOP_COPY
            nic  | source | PRECOPY_INFO    | WRONG | source: device nic0 failed in SAVE_LIVE_PENDING: device nic0 says that 18446744073709551615 bytes are pending
            nic  | source | STOP_COPY_BYTES | WRONG | source: device nic0 failed in SAVE_LIVE_PENDING: device nic0 says that 18446744073709551615 bytes are pending
            nic  | source | READ            | SHORT | target: device nic0 failed in LOAD_STATE: device nic0 refuses a chunk: block 0 of
            nic  | source | READ            | ENDED | target: device nic0 failed in LOAD_CLEANUP: device nic0 has not got all of its state: nothing came for the bytes from 0
            nic  | source | READ            | WRONG | target: device nic0 failed in LOAD_STATE: device nic0 refuses a chunk: block 0 is damaged: its CRC32C differs
            nic  | source | SAVE_CONFIG     | SHORT | target: device nic0 failed in LOAD_STATE: device nic0 refuses a config space: 128 bytes; expected 256
            nic  | source | DIGEST          | WRONG | both: the digests differ
            nic  | target | WRITE           | SHORT | target: device nic0 failed in LOAD_CLEANUP: device nic0 has not got all of its state: nothing came for the bytes from 0
            nic  | target | WRITE           | WRONG | both: the digests differ
            nic  | target | LOAD_CONFIG     | WRONG | both: the digests differ
            nic  | target | STOP            | WRONG | target: device nic0 failed in LOAD_CLEANUP: device nic0 stands in RESUMING after its step; expected STOP
            """)
    void whatIsShortOrWrongIsFound(String model, String side, String point, DeviceFault fault, String found)
            throws Exception {
        try (Move move = new Move(KIT, TIME, spec(model), POOL)) {
            move.boot();
            on(side.equals("source") ? move.from.faults : move.to.faults, point, fault);
            assertThatThrownBy(move::migrate).isInstanceOf(Move.Ended.class).hasMessageContaining(found);
            move.from.faults.clear();
            move.rollBack();
        }
    }

    /** Nobody relies on the counts: they feed the prediction, and reading ends when the device says that it does. */
    @ParameterizedTest
    @CsvSource({
        "gpu, PRECOPY_INFO",
        "gpu, STOP_COPY_BYTES",
        "vnic, STOP_COPY_BYTES",
        "nic, PRECOPY_INFO",
        "nic, STOP_COPY_BYTES"
    })
    void countsThatAreTooLowLoseNothing(String model, String point) throws Exception {
        try (Move move = new Move(KIT, TIME, spec(model), POOL)) {
            move.boot();
            on(move.from.faults, point, DeviceFault.SHORT);
            assertThatCode(move::migrate).doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @CsvSource({"gpu", "vnic", "nic"})
    void withoutFaultsEveryModelMoves(String model) throws Exception {
        try (Move move = new Move(KIT, TIME, spec(model), POOL)) {
            move.boot();
            move.migrate();
            assertThat(move.to.device.state()).isEqualTo(DeviceState.RUNNING);
            assertThat(move.from.device.state()).isEqualTo(DeviceState.STOP);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "gpu, FAIL, gpu0: its reset failed",
        "gpu, BREAK, gpu0 broke in its reset",
        "gpu, STALL, " + LATE,
        "gpu, WRONG, gpu0 stands in ERROR after its reset; expected RUNNING",
        "nic, FAIL, nic0: its reset failed",
        "nic, BREAK, nic0 broke in its reset",
        "nic, STALL, " + LATE,
        "nic, WRONG, nic0 stands in ERROR after its reset; expected RUNNING"
    })
    void aBrokenDeviceThatCannotBeResetSaysSoAndGoesOnOnceItCan(String model, DeviceFault fault, String reason)
            throws Exception {
        try (Move move = new Move(KIT, TIME, spec(model), POOL)) {
            move.boot();
            move.from.faults.on(DeviceState.STOP_COPY, DeviceFault.BREAK);
            assertThatThrownBy(move::migrate).hasMessageEndingWith("(it stands in ERROR)");
            move.from.faults.clear();
            move.from.faults.on(DeviceOperation.RESET, fault);
            assertThatThrownBy(move::rollBack)
                    .hasMessageContaining("failed in MIGRATION_STATUS_CHANGED")
                    .hasMessageContaining(reason)
                    .hasMessageEndingWith("(it stands in ERROR)");
            move.from.faults.clear();
            awaitBack(move);
            move.rollBack();
            assertThat(move.from.device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void aStalledCallKeepsNeitherTheClockNorTheStateNorTheCloseWaiting() throws Exception {
        for (String model : new String[] {"gpu", "nic"}) {
            Machine machine = new Machine(spec(model));
            machine.run();
            machine.walkTo(DeviceState.PRE_COPY);
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.STALL);
            machine.faults.on(DeviceState.PRE_COPY_P2P, DeviceFault.STALL);
            CompletableFuture<Throwable> stalled = CompletableFuture.supplyAsync(
                    () -> catchThrowable(() -> machine.walkTo(DeviceState.STOP_COPY)), POOL);
            while (machine.faults.stalled() == 0) {
                Thread.onSpinWait();
            }
            long writes = machine.device.dmaWrites();
            machine.ticker.pass(100);
            assertThat(machine.device.dmaWrites()).isGreaterThan(writes);
            assertThat(machine.device.state()).isEqualTo(DeviceState.PRE_COPY);
            machine.close();
            assertThat(stalled.get()).isInstanceOf(DeviceException.class).hasMessageEndingWith("is closed");
        }
    }

    @Test
    void faultsThatAnOperationCannotHaveAreRefused() {
        DeviceFaults faults = new DeviceFaults();
        assertThatThrownBy(() -> faults.on(DeviceOperation.DIGEST, DeviceFault.SHORT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("DIGEST cannot be made SHORT; expected one of [FAIL, BREAK, STALL, WRONG]");
        assertThatThrownBy(() -> faults.on(DeviceState.STOP, DeviceFault.ENDED))
                .hasMessage("STOP cannot be made ENDED; expected one of [FAIL, BREAK, STALL, WRONG]");
    }
}
