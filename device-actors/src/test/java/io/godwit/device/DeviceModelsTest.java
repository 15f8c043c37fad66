package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.proto.vm.DeviceSpec;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceModelsTest {
    private final DeviceModels models = DeviceModels.standard(Machine.CONFIG);

    @Test
    void namesTheModelAndTheVersionOfItsState() {
        assertThat(models.identity(Machine.gpu(4096, 0, 0))).isEqualTo("gpu/1");
        assertThat(models.identity(Machine.nic(4096))).isEqualTo("nic/1");
        assertThat(models.identity(Machine.vnic(4096))).isEqualTo("vnic/1");
    }

    @Test
    void whatAModelCanDoIsKnownBeforeItIsMadeAndTrue() throws DeviceException {
        DeviceModels more = models.with("fpga", new DeviceCapabilities(true, false));
        DeviceSpec fpga = new DeviceSpec("d7", "fpga", "c0", 4096, 0, 0, 0, "PERSISTENT");
        assertThat(more.capabilities(Machine.gpu(4096, 0, 0))).isEqualTo(new DeviceCapabilities(true, true));
        assertThat(more.capabilities(Machine.vnic(4096))).isEqualTo(new DeviceCapabilities(false, true));
        assertThat(more.capabilities(Machine.nic(4096))).isEqualTo(new DeviceCapabilities(true, false));
        assertThat(more.capabilities(fpga)).isEqualTo(new DeviceCapabilities(true, false));
        for (DeviceSpec spec : List.of(Machine.gpu(4096, 0, 0), Machine.vnic(4096), Machine.nic(4096), fpga)) {
            try (Machine machine = new Machine(spec, own -> own.with("fpga", new DeviceCapabilities(true, false)))) {
                assertThat(new DeviceCapabilities(machine.device.supportsPreCopy(), machine.device.supportsP2p()))
                        .isEqualTo(more.capabilities(spec));
                assertThat(machine.device.model()).isEqualTo(more.identity(spec));
            }
        }
        assertThatThrownBy(() -> models.capabilities(fpga)).hasMessageContaining("no model 'fpga'");
    }

    @Test
    void anUnknownModelIsRefusedWithTheKnownOnes() {
        DeviceSpec spec = new DeviceSpec("d7", "fpga", "c0", 4096, 0, 0, 0, "PERSISTENT");
        assertThatThrownBy(() -> models.identity(spec))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("device d7: no model 'fpga'; expected one of [gpu, nic, vnic]");
    }

    @Test
    void impossibleSizesRatesAndPoliciesAreRefusedByName() {
        assertThatThrownBy(() -> new Machine(new DeviceSpec("d7", "gpu", "c0", 5, 0, 0, 0, "PERSISTENT")))
                .hasMessage("device d7: stateBytes of 5; expected at least 128");
        assertThatThrownBy(() -> new Machine(new DeviceSpec("d7", "gpu", "c0", 4096, -1, 0, 0, "PERSISTENT")))
                .hasMessageContaining("stateDirtyBytesPerSecond of -1");
        assertThatThrownBy(() -> new Machine(new DeviceSpec("d7", "gpu", "c0", 4096, 0, 0, 0, "SOMETIMES")))
                .hasMessageContaining("device d7: dirty reporting 'SOMETIMES'; expected one of [PERSISTENT");
    }

    @Test
    void aDeviceWithoutPinnedMemoryWorksToo() throws DeviceException {
        try (Machine machine = new Machine(new DeviceSpec("d7", "nic", "c0", 4096, 4096, 0, 1 << 20, "PERSISTENT"))) {
            machine.run();
            machine.ticker.pass(5000);
            assertThat(machine.device.dmaWrites()).isZero();
            assertThat(machine.space.mappings()).isEmpty();
        }
    }
}
