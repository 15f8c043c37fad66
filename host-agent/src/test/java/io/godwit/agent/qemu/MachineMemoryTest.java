package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MachineMemoryTest {
    @Test
    void readsWhatNewProcessesCanHave() {
        assertThat(MachineMemory.available(List.of("MemTotal:       24622396 kB", "MemAvailable:    1024 kB")))
                .isEqualTo(1 << 20);
    }

    @Test
    void aKernelThatDoesNotSayRefusesNothing() {
        assertThat(MachineMemory.available(List.of("MemTotal:       24622396 kB")))
                .isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void thisMachineHasSome() {
        assertThat(MachineMemory.available()).isPositive().isLessThan(Long.MAX_VALUE);
    }
}
