package io.godwit.agent;

import static io.godwit.agent.NativeGuests.MIB;
import static io.godwit.agent.NativeGuests.driver;
import static io.godwit.agent.NativeGuests.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestException;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A guest that fails by itself. */
class NativeFailureTest {
    private static final long CODE_GPA = 0x5000;
    private static final short UD2 = 0x0B0F;

    @Test
    void aTripleFaultStopsAllVcpusOfAKvmGuestAndSaysWhy() throws Exception {
        VmSpec spec = spec("kvm", 16 * MIB, 2, new WorkloadSpec(8 * MIB, 0, false));
        try (Guest guest = driver("kvm").create(spec)) {
            // an undefined instruction, and no handler for it
            guest.memory().segment().set(ValueLayout.JAVA_SHORT, CODE_GPA, UD2);
            guest.run();
            awaitFailure(guest);
            assertThat(guest.failure().orElseThrow())
                    .contains("exited with KVM_EXIT_")
                    .contains("expected KVM_EXIT_MMIO");
            guest.pause();
            assertThat(guest.writesCounted()).containsOnly(0, 0);
            assertThatThrownBy(guest::run)
                    .isInstanceOf(GuestException.class)
                    .hasMessageContaining("cannot run: it has failed");
        }
    }

    @Test
    void aKvmGuestWhosePageTablesAreLostFailsInsteadOfHanging() throws Exception {
        VmSpec spec = spec("kvm", 16 * MIB, 1, new WorkloadSpec(8 * MIB, 0, false));
        try (Guest guest = driver("kvm").create(spec)) {
            guest.memory().segment().asSlice(0x1000, 0x4000).fill((byte) 0);
            guest.run();
            awaitFailure(guest);
            guest.pause();
            assertThat(guest.failure()).isPresent();
        }
    }

    private static void awaitFailure(Guest guest) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (guest.failure().isEmpty()) {
            assertThat(System.nanoTime()).as("deadline for the failure").isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }
}
