package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.IovaMapping;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.WriteRule;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Model devices behind a vIOMMU, whose guest maps and unmaps while they run. */
class ViommuModelTest {
    private static final long PIECE = 64 * 1024;

    private static DeviceSpec device(String model) {
        return new DeviceSpec("dev0", model, "c0", 64 * 1024, 0, 16 * PIECE, 4096 * 1000, "PERSISTENT");
    }

    private static ContainerSpec container(long remapRate) {
        return new ContainerSpec("c0", true, remapRate);
    }

    @Test
    void itsGuestMapsAnewAtTheRateOfItsContainerAndItsDmaFollows() throws DeviceException {
        try (Machine machine = new Machine(device("gpu"), container(100 * PIECE))) {
            List<IovaMapping> first = machine.space.mappings();
            assertThat(first).hasSize(16);
            machine.ticker.pass(1000);
            assertThat(machine.space.mappings()).as("it stands still").isEqualTo(first);
            machine.run();
            machine.ticker.pass(50);
            List<IovaMapping> then = machine.space.mappings();
            assertThat(then).hasSize(16);
            assertThat(then.stream().filter(first::contains))
                    .as("five have moved")
                    .hasSize(11);
            machine.ticker.pass(1950);
            assertThat(machine.device.dmaWrites()).isEqualTo(2000);
            assertThat(WriteRule.violation(machine.memory, machine.layout.pinned("dev0"), 2000))
                    .isEmpty();
        }
    }

    @Test
    void withoutARemapRateItsMappingsStay() throws DeviceException {
        try (Machine machine = new Machine(device("gpu"), container(0))) {
            List<IovaMapping> first = machine.space.mappings();
            machine.run();
            machine.ticker.pass(5000);
            assertThat(machine.space.mappings()).isEqualTo(first);
        }
    }

    private static void move(Machine source, Machine target) throws DeviceException {
        source.walkTo(DeviceState.STOP_COPY);
        target.walkTo(DeviceState.RESUMING);
        target.device.loadConfig(source.device.saveConfig());
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        while (source.device.read(buffer.clear()) >= 0) {
            target.device.write(buffer.flip());
        }
        target.memory.segment().copyFrom(source.memory.segment());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "nic"})
    void theDestinationMapsAsTheSourceStoodAndGoesOn(String model) throws DeviceException {
        try (Machine source = new Machine(device(model), container(30 * PIECE));
                Machine target = new Machine(device(model), container(30 * PIECE))) {
            source.run();
            source.ticker.pass(1777);
            move(source, target);
            target.walkTo(DeviceState.STOP);
            assertThat(target.device.digest()).isEqualTo(source.device.digest());
            assertThat(target.space.mappings()).isEqualTo(source.space.mappings());
            target.run();
            target.ticker.pass(1000);
            target.walkTo(DeviceState.STOP);
            source.walkTo(DeviceState.STOP);
            assertThat(target.device.dmaWrites()).isEqualTo(2777);
            assertThat(WriteRule.violation(target.memory, target.layout.pinned("dev0"), 2777))
                    .isEmpty();
            assertThat(target.space.mappings()).isNotEqualTo(source.space.mappings());
        }
    }

    @Test
    void aDestinationThatCannotMapAsTheSourceStoodNeverRuns() throws Exception {
        try (Machine source = new Machine(device("gpu"), container(PIECE));
                Machine target = new Machine(device("gpu"), container(PIECE))) {
            source.run();
            source.ticker.pass(3000);
            move(source, target);
            long wanted = source.space.mappings().stream()
                    .mapToLong(IovaMapping::iova)
                    .filter(iova -> target.space.mappings().stream().noneMatch(there -> there.iova() == iova))
                    .findFirst()
                    .orElseThrow();
            target.space.map(wanted, 0, 4096);
            assertThatThrownBy(() -> target.device.step(DeviceState.STOP))
                    .hasMessageContaining("device dev0 refuses its state")
                    .hasMessageContaining("overlaps the mapping at 0x" + Long.toHexString(wanted));
            assertThat(target.device.state()).isEqualTo(DeviceState.ERROR);
        }
    }

    @Test
    void aResetMapsAllOfItAnew() throws Exception {
        try (Machine machine = new Machine(device("gpu"), container(10 * PIECE))) {
            List<IovaMapping> first = machine.space.mappings();
            machine.run();
            machine.ticker.pass(1000);
            machine.space.unmap(machine.space.mappings().getFirst().iova(), PIECE);
            machine.ticker.pass(2000);
            assertThat(machine.device.state()).isEqualTo(DeviceState.ERROR);
            long written = machine.device.dmaWrites();
            machine.device.reset();
            assertThat(machine.space.mappings()).isEqualTo(first);
            assertThat(machine.device.dmaWrites()).isEqualTo(written);
            machine.ticker.pass(100);
            assertThat(WriteRule.violation(machine.memory, machine.layout.pinned("dev0"), written + 100))
                    .isEmpty();
        }
    }

    @Test
    void closingItFreesItsMappingsWhereverTheyAre() throws DeviceException {
        Machine machine = new Machine(device("gpu"), container(10 * PIECE));
        machine.run();
        machine.ticker.pass(777);
        machine.close();
        assertThat(machine.space.mappings()).isEmpty();
        assertThat(machine.space.devices()).isEmpty();
    }

    @Test
    void aRateThatNoGuestCanHaveIsRefused() {
        assertThatThrownBy(() -> new Machine(device("gpu"), container(Long.MAX_VALUE)))
                .hasMessageContaining("device dev0: remapBytesPerSecond of its container of 9223372036854775807");
    }
}
