package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class RegionDeviceAdapterTest {
    @Test
    void aNicHasPreCopyButNothingToGiveOutInItAndIsPredictedAllTheSame() throws DeviceException {
        try (Machine machine = new Machine(Machine.nic(8192))) {
            machine.run();
            machine.walk(DeviceState.PRE_COPY);
            assertThat(machine.device.state().bits()).isEqualTo("_RUNNING|_SAVING");
            assertThat(machine.device.precopyInfo().bytes()).isZero();
            assertThat(machine.device.read(ByteBuffer.allocateDirect(65536))).isZero();
            assertThat(machine.device.stopCopyBytes()).isEqualTo(8192);
            machine.walk(DeviceState.STOP_COPY);
            assertThat(machine.device.stopCopyBytes()).isGreaterThanOrEqualTo(8192);
            assertThat(machine.drain(65536)).isNotEmpty();
            assertThat(machine.device.read(ByteBuffer.allocateDirect(65536))).isEqualTo(-1);
        }
    }

    @Test
    void itHasNoPeerToPeerStates() throws DeviceException {
        try (Machine machine = new Machine(Machine.nic(8192))) {
            machine.run();
            assertThat(machine.device.supportsP2p()).isFalse();
            assertThatThrownBy(() -> machine.device.step(DeviceState.RUNNING_P2P))
                    .hasMessage("device nic0: no single step leads from RUNNING to RUNNING_P2P");
        }
    }

    @Test
    void aBrokenStepStandsInErrorUntilAReset() throws DeviceException {
        try (Machine machine = new Machine(Machine.nic(8192))) {
            machine.run();
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.BREAK);
            machine.walk(DeviceState.PRE_COPY);
            assertThatThrownBy(() -> machine.device.step(DeviceState.STOP_COPY)).hasMessageContaining("broke");
            assertThat(machine.device.state()).isEqualTo(DeviceState.ERROR);
            assertThatThrownBy(() -> machine.device.step(DeviceState.RUNNING)).hasMessageContaining("from ERROR");
            machine.device.reset();
            assertThat(machine.device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void aFailedStepLeavesTheOldState() throws DeviceException {
        try (Machine machine = new Machine(Machine.nic(8192))) {
            machine.run();
            machine.faults.on(DeviceState.STOP, DeviceFault.FAIL);
            assertThatThrownBy(() -> machine.device.step(DeviceState.STOP)).hasMessageContaining("failed");
            assertThat(machine.device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void aChunkLargerThanTheWindowOrTheBufferIsRefused() throws DeviceException {
        try (Machine machine = new Machine(Machine.nic(200_000))) {
            machine.walk(DeviceState.RESUMING);
            assertThatThrownBy(() -> machine.device.write(ByteBuffer.allocate(65537)))
                    .hasMessage("device nic0 refuses a chunk of 65537 bytes; its data window holds 65536");
            machine.device.reset();
            machine.walkTo(DeviceState.STOP_COPY);
            assertThatThrownBy(() -> machine.device.read(ByteBuffer.allocateDirect(100)))
                    .hasMessageContaining("there is room for 100");
        }
    }
}
