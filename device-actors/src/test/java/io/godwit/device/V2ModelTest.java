package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.IommuException;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.WriteRule;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class V2ModelTest {
    private static final long STATE = 100 * 4096;

    @Test
    void itsPreCopyConvergesToWhatChangesAnew() throws DeviceException {
        try (Machine machine = new Machine(Machine.gpu(STATE, 4096 * 100, 0))) {
            machine.run();
            assertThat(machine.device.precopyInfo().bytes()).isZero();
            assertThat(machine.device.stopCopyBytes()).isEqualTo(STATE);
            machine.walkTo(DeviceState.PRE_COPY);
            assertThat(machine.device.precopyInfo().bytes()).isEqualTo(STATE);
            machine.drain(1 << 20);
            assertThat(machine.device.precopyInfo().bytes()).isZero();
            machine.ticker.pass(100);
            assertThat(machine.device.precopyInfo().bytes()).isEqualTo(10 * 4096);
        }
    }

    @Test
    void itsFirstTableGoesFirstAndIsInitialDataOnlyOnce() throws DeviceException {
        try (Machine machine = new Machine(Machine.gpu(STATE, 4096 * 1000, 0))) {
            machine.run();
            assertThat(machine.device.precopyInfo()).isEqualTo(PrecopyInfo.NONE);
            machine.walkTo(DeviceState.PRE_COPY);
            assertThat(machine.device.precopyInfo()).isEqualTo(new PrecopyInfo(25 * 4096, 75 * 4096));
            ByteBuffer buffer = ByteBuffer.allocateDirect(10 * 4096 + StateBlock.HEADER_BYTES);
            machine.device.read(buffer.clear());
            assertThat(machine.device.precopyInfo()).isEqualTo(new PrecopyInfo(15 * 4096, 75 * 4096));
            machine.ticker.pass(10);
            assertThat(machine.device.precopyInfo())
                    .as("what has changed since is not initial")
                    .isEqualTo(new PrecopyInfo(15 * 4096, 85 * 4096));
            machine.device.read(buffer.clear());
            machine.device.read(buffer.clear());
            assertThat(machine.device.precopyInfo()).isEqualTo(new PrecopyInfo(0, 80 * 4096));
            machine.walkTo(DeviceState.RUNNING);
            machine.walkTo(DeviceState.PRE_COPY);
            assertThat(machine.device.precopyInfo())
                    .as("a session of its own")
                    .isEqualTo(new PrecopyInfo(25 * 4096, 75 * 4096));
        }
    }

    @Test
    void itsInitialDataIsAQuarterOfItsStateAtMost() throws DeviceException {
        for (long[] size : new long[][] {{128, 0}, {4 * 4096 - 1, 0}, {4 * 4096, 4096}, {8 << 20, 1 << 20}}) {
            try (Machine machine = new Machine(Machine.gpu(size[0], 0, 0))) {
                machine.walkTo(DeviceState.PRE_COPY);
                assertThat(machine.device.precopyInfo()).isEqualTo(new PrecopyInfo(size[1], size[0] - size[1]));
            }
        }
    }

    @Test
    void itsDmaFollowsTheRateAndTheWriteRuleAtAnAddressThatIsNotTheGuests() throws Exception {
        try (Machine machine = new Machine(Machine.gpu(STATE, 0, 4096 * 1000))) {
            GuestLayout.Range range = machine.layout.pinned("gpu0");
            machine.ticker.pass(1000);
            assertThat(machine.device.dmaWrites())
                    .as("it is made standing still")
                    .isZero();
            machine.run();
            machine.ticker.pass(150);
            assertThat(machine.device.dmaWrites()).isEqualTo(150);
            assertThat(WriteRule.violation(machine.memory, range, 150)).isEmpty();
            assertThat(machine.space.mappings().getFirst().iova()).isNotEqualTo(range.gpa());
            assertThat(machine.space.translate(
                            machine.space.mappings().getFirst().iova()))
                    .isEqualTo(range.gpa());
        }
    }

    @Test
    void withoutPreCopyOrPeerToPeerItHasNotTheirStates() throws DeviceException {
        try (Machine vnic = new Machine(Machine.vnic(STATE));
                Machine plain = new Machine(
                        new DeviceSpec("d7", "plain", "c0", STATE, 0, 0, 0, "PERSISTENT"),
                        models -> models.with("plain", new DeviceCapabilities(false, false)))) {
            vnic.walk(DeviceState.RUNNING_P2P, DeviceState.RUNNING);
            assertThatThrownBy(() -> vnic.device.step(DeviceState.PRE_COPY))
                    .hasMessage("device vnic0: no single step leads from RUNNING to PRE_COPY");
            assertThat(vnic.device.precopyInfo()).isEqualTo(PrecopyInfo.NONE);
            assertThat(vnic.device.stopCopyBytes()).isEqualTo(STATE);
            vnic.walk(DeviceState.RUNNING_P2P, DeviceState.STOP, DeviceState.STOP_COPY);
            assertThat(vnic.drain(1 << 20)).isNotEmpty();
            plain.walk(DeviceState.RUNNING);
            assertThatThrownBy(() -> plain.device.step(DeviceState.RUNNING_P2P))
                    .hasMessage("device d7: no single step leads from RUNNING to RUNNING_P2P");
            plain.walk(DeviceState.STOP, DeviceState.STOP_COPY);
        }
    }

    @Test
    void refusesStepsThatAreNoSingleStepsAndSaysWhereItStands() throws DeviceException {
        try (Machine machine = new Machine(Machine.gpu(STATE, 0, 0))) {
            machine.run();
            assertThatThrownBy(() -> machine.device.step(DeviceState.STOP_COPY))
                    .hasMessage("device gpu0: no single step leads from RUNNING to STOP_COPY");
            assertThatThrownBy(() -> machine.device.read(ByteBuffer.allocateDirect(8192)))
                    .hasMessageContaining("it stands in RUNNING");
            assertThatThrownBy(() -> machine.device.digest()).hasMessageContaining("it stands in RUNNING");
            assertThat(machine.device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void refusesDamagedForeignAndMissingChunksAndChangesNothing() throws DeviceException {
        try (Machine source = new Machine(Machine.gpu(STATE, 0, 0));
                Machine target = new Machine(Machine.gpu(STATE, 0, 0));
                Machine smaller = new Machine(Machine.gpu(50 * 4096, 0, 0))) {
            source.walk(DeviceState.STOP_COPY);
            target.walk(DeviceState.RESUMING);
            smaller.walk(DeviceState.RESUMING);
            List<byte[]> chunks = source.drain(10 * 4096);
            assertThat(chunks).hasSizeGreaterThan(10);
            long blank = target.device.digest();
            byte[] damaged = chunks.getFirst().clone();
            damaged[5000] ^= 1;
            assertThatThrownBy(() -> target.device.write(ByteBuffer.wrap(damaged)))
                    .hasMessageContaining("CRC32C");
            byte[] cut = java.util.Arrays.copyOf(chunks.getFirst(), 5000);
            assertThatThrownBy(() -> target.device.write(ByteBuffer.wrap(cut))).hasMessageContaining("with 4976 left");
            assertThatThrownBy(() -> target.device.write(ByteBuffer.wrap(chunks.get(1))))
                    .hasMessageContaining("where block 0 was expected");
            assertThatThrownBy(() -> target.device.write(ByteBuffer.wrap(new byte[100])))
                    .hasMessageContaining("no block begins");
            assertThat(target.device.digest()).isEqualTo(blank);
            assertThatThrownBy(() -> {
                        for (byte[] chunk : chunks) {
                            smaller.device.write(ByteBuffer.wrap(chunk));
                        }
                    })
                    .hasMessageContaining("of a state of " + 50 * 4096);
        }
    }

    @Test
    void neverRunsWithHalfAState() throws DeviceException {
        try (Machine source = new Machine(Machine.gpu(STATE, 0, 0));
                Machine target = new Machine(Machine.gpu(STATE, 0, 0))) {
            source.walk(DeviceState.STOP_COPY);
            target.walk(DeviceState.RESUMING);
            target.device.write(ByteBuffer.wrap(source.drain(10 * 4096).getFirst()));
            assertThatThrownBy(() -> target.device.step(DeviceState.STOP)).hasMessageContaining("nothing came for");
            assertThat(target.device.state()).isEqualTo(DeviceState.ERROR);
        }
    }

    @Test
    void aSecondSessionVoidsWhatTheFirstGaveOut() throws DeviceException {
        try (Machine source = new Machine(Machine.gpu(STATE, 4096 * 100, 0));
                Machine target = new Machine(Machine.gpu(STATE, 0, 0))) {
            source.run();
            source.walk(DeviceState.PRE_COPY);
            target.walk(DeviceState.RESUMING);
            source.device.stopCopyBytes();
            for (byte[] chunk : source.drain(40 * 4096)) {
                target.device.write(ByteBuffer.wrap(chunk));
            }
            source.walkTo(DeviceState.STOP);
            source.ticker.pass(100);
            source.walk(DeviceState.STOP_COPY);
            target.device.loadConfig(source.device.saveConfig());
            for (byte[] chunk : source.drain(40 * 4096)) {
                target.device.write(ByteBuffer.wrap(chunk));
            }
            assertThat(target.device.digest()).isEqualTo(source.device.digest());
        }
    }

    @Test
    void refusesTheConfigSpaceOfAnotherModelOrADamagedOne() throws DeviceException {
        try (Machine target = new Machine(Machine.gpu(STATE, 0, 0));
                Machine nic = new Machine(Machine.nic(4096));
                Machine other = new Machine(Machine.gpu(STATE * 2, 0, 0))) {
            target.walk(DeviceState.RESUMING);
            assertThatThrownBy(() -> target.device.loadConfig(nic.device.saveConfig()))
                    .hasMessage("device gpu0 refuses a config space: model nic/1; expected gpu/1");
            assertThatThrownBy(() -> target.device.loadConfig(other.device.saveConfig()))
                    .hasMessageContaining("bytes of state");
            byte[] damaged = other.device.saveConfig();
            damaged[30] ^= 4;
            assertThatThrownBy(() -> target.device.loadConfig(damaged)).hasMessageContaining("damaged");
            assertThatThrownBy(() -> target.device.loadConfig(new byte[7])).hasMessageContaining("expected 256");
        }
    }

    @Test
    void dmaToAPageTakenFromItBreaksItAndAResetBringsItBack() throws Exception {
        try (Machine machine = new Machine(Machine.gpu(STATE, 0, 4096 * 1000))) {
            machine.run();
            machine.walk(DeviceState.PRE_COPY);
            machine.space.startTracking();
            machine.ticker.pass(100);
            long iova = machine.space.mappings().getFirst().iova();
            machine.space.unmap(iova, 64 * 4096);
            DirtyBitmap dirty = new DirtyBitmap(machine.memory.pages());
            machine.space.report(false, dirty, new DirtyBitmap(machine.memory.pages()));
            assertThat(dirty.count()).isEqualTo(64);
            machine.ticker.pass(10);
            assertThat(machine.device.state()).isEqualTo(DeviceState.ERROR);
            assertThat(machine.device.dmaWrites())
                    .as("nothing was written after the unmap")
                    .isEqualTo(100);
            assertThatThrownBy(() -> machine.device.step(DeviceState.RUNNING))
                    .hasMessageContaining("nothing is mapped at iova 0x" + Long.toHexString(iova + 36 * 4096));
            machine.device.reset();
            assertThat(machine.device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void aResetLosesTheStateAndGoesOnByTheCountersInMemory() throws Exception {
        try (Machine machine = new Machine(Machine.gpu(STATE, 4096 * 1000, 4096 * 1000))) {
            machine.run();
            machine.ticker.pass(77);
            machine.walkTo(DeviceState.STOP);
            long before = machine.device.digest();
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.BREAK);
            assertThatThrownBy(() -> machine.device.step(DeviceState.STOP_COPY)).hasMessageContaining("broke");
            assertThat(machine.device.state()).isEqualTo(DeviceState.ERROR);
            machine.device.reset();
            machine.ticker.pass(20);
            machine.walkTo(DeviceState.STOP);
            assertThat(machine.device.digest()).isNotEqualTo(before);
            assertThat(machine.device.dmaWrites()).isEqualTo(97);
            assertThat(WriteRule.violation(machine.memory, machine.layout.pinned("gpu0"), 97))
                    .isEmpty();
        }
    }

    @Test
    void closingItStopsItsEngineAndFreesItsMappings() throws DeviceException, IommuException {
        Machine machine = new Machine(Machine.gpu(STATE, 0, 0));
        machine.close();
        assertThat(machine.ticker.listeners()).isZero();
        assertThat(machine.space.mappings()).isEmpty();
        assertThat(machine.space.devices()).isEmpty();
        machine.device.close();
        assertThatThrownBy(() -> machine.device.stopCopyBytes()).hasMessage("device gpu0 is closed");
    }
}
