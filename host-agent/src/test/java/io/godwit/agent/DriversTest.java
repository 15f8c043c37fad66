package io.godwit.agent;

import static io.godwit.agent.NativeGuests.MIB;
import static io.godwit.agent.NativeGuests.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.soft.SoftDriver;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.GuestException;
import org.junit.jupiter.api.Test;

class DriversTest {
    private final Drivers withKvm = drivers(new KvmDriver.Availability(true, "found"));
    private final Drivers withoutKvm =
            drivers(new KvmDriver.Availability(false, "open of /dev/kvm: Permission denied (errno 13)"));

    @Test
    void autoIsKvmWhereItCanBeUsedAndSoftElsewhere() throws Exception {
        assertThat(withKvm.settle(named("auto")).driver()).isEqualTo("kvm");
        assertThat(withoutKvm.settle(named("auto")).driver()).isEqualTo("soft");
        assertThat(withKvm.usable()).containsExactly("kvm", "soft");
        assertThat(withoutKvm.usable()).containsExactly("soft");
    }

    @Test
    void aNamedDriverIsKept() throws Exception {
        assertThat(withKvm.settle(named("soft")).driver()).isEqualTo("soft");
        assertThat(withKvm.of(named("kvm"))).isInstanceOf(KvmDriver.class);
    }

    @Test
    void kvmWhereItCannotBeUsedIsRefusedWithTheReason() {
        assertThatThrownBy(() -> withoutKvm.of(named("kvm")))
                .isInstanceOf(GuestException.class)
                .hasMessage("VM vm-1: driver kvm is not to be had on this host: open of /dev/kvm: Permission denied"
                        + " (errno 13); usable here: auto, soft");
    }

    @Test
    void anUnknownDriverIsRefusedWithTheAcceptedNames() {
        assertThatThrownBy(() -> withKvm.of(named("xen")))
                .isInstanceOf(GuestException.class)
                .hasMessage("VM vm-1: driver 'xen'; expected one of auto, kvm, soft");
    }

    private static Drivers drivers(KvmDriver.Availability kvm) {
        return new Drivers(
                new SoftDriver(SETTINGS, System::nanoTime, Thread.ofPlatform().factory()),
                new KvmDriver(SETTINGS, System::nanoTime, Thread.ofPlatform().factory()),
                kvm);
    }

    private static VmSpec named(String driver) {
        return NativeGuests.spec(driver, 16 * MIB, 1, new WorkloadSpec(0, 0, false));
    }
}
