package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class P2pRuleTest {
    private static Optional<String> refusal(String... models) {
        var devices = Arrays.stream(models)
                .map(model -> new DeviceSpec(model + "-a", model, "c0", 4096, 0, 0, 0, "PERSISTENT"))
                .toList();
        return P2pRule.refusal(
                new VmSpec("vm-1", "soft", 8 << 20, 1, new WorkloadSpec(0, 0, false), devices, 1000),
                DeviceModels.standard(Machine.CONFIG).with("plain", new DeviceCapabilities(true, false)));
    }

    @Test
    void anySingleDeviceMayMigrateAndSoMayAVmWithoutDevices() {
        assertThat(refusal()).isEmpty();
        assertThat(refusal("nic")).isEmpty();
        assertThat(refusal("plain")).isEmpty();
    }

    @Test
    void severalMayIfEachSupportsPeerToPeer() {
        assertThat(refusal("gpu", "vnic", "gpu")).isEmpty();
    }

    @Test
    void oneThatDoesNotIsNamed() {
        assertThat(refusal("gpu", "nic", "vnic"))
                .contains("VM vm-1 has 3 devices, and to be migrated each of several must support P2P:"
                        + " nic-a (model nic) does not");
        assertThat(refusal("plain", "nic"))
                .contains("VM vm-1 has 2 devices, and to be migrated each of several must support P2P:"
                        + " plain-a (model plain), nic-a (model nic) do not");
    }

    @Test
    void aModelThatIsNotKnownIsLeftToWhoeverMakesIt() {
        assertThat(refusal("fpga", "gpu")).isEmpty();
    }
}
