package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.stream.DeviceIdentity;
import io.godwit.stream.Preamble;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PreambleCheckTest {
    private static final List<DeviceIdentity> DEVICES =
            List.of(new DeviceIdentity("gpu0", "gpu/1", true), new DeviceIdentity("nic0", "nic/1", false));
    private static final Preamble EXPECTED = PreambleCheck.of(
            "m-1",
            new VmSpec("vm-1", "soft", 64 << 20, 2, new WorkloadSpec(0, 0, false), List.of(), 300),
            7,
            DEVICES,
            true);

    @Test
    void thePreambleOfTheSameVmFits() {
        assertThat(EXPECTED).isEqualTo(new Preamble("m-1", "vm-1", 7, 4096, 64 << 20, 2, "soft", DEVICES, true));
        assertThat(PreambleCheck.mismatch(EXPECTED, EXPECTED)).isEmpty();
    }

    static Stream<Arguments> others() {
        long ram = 64 << 20;
        List<DeviceIdentity> swapped = DEVICES.reversed();
        return Stream.of(
                Arguments.of("migration", "m-2", new Preamble("m-2", "vm-1", 7, 4096, ram, 2, "soft", DEVICES, true)),
                Arguments.of("VM", "vm-2", new Preamble("m-1", "vm-2", 7, 4096, ram, 2, "soft", DEVICES, true)),
                Arguments.of("epoch", "8", new Preamble("m-1", "vm-1", 8, 4096, ram, 2, "soft", DEVICES, true)),
                Arguments.of("page size", "8192", new Preamble("m-1", "vm-1", 7, 8192, ram, 2, "soft", DEVICES, true)),
                Arguments.of("RAM size", "1024", new Preamble("m-1", "vm-1", 7, 4096, 1024, 2, "soft", DEVICES, true)),
                Arguments.of("vCPUs", "3", new Preamble("m-1", "vm-1", 7, 4096, ram, 3, "soft", DEVICES, true)),
                Arguments.of("driver", "kvm", new Preamble("m-1", "vm-1", 7, 4096, ram, 2, "kvm", DEVICES, true)),
                Arguments.of(
                        "devices",
                        "nic0=nic/1, gpu0=gpu/1",
                        new Preamble("m-1", "vm-1", 7, 4096, ram, 2, "soft", swapped, true)),
                Arguments.of("verify", "false", new Preamble("m-1", "vm-1", 7, 4096, ram, 2, "soft", DEVICES, false)));
    }

    @ParameterizedTest
    @MethodSource("others")
    void namesWhatDoesNotFitWithBothValues(String what, String value, Preamble other) {
        assertThat(PreambleCheck.mismatch(EXPECTED, other))
                .hasValueSatisfying(reason ->
                        assertThat(reason).contains(what).contains(value).contains("expected"));
    }
}
