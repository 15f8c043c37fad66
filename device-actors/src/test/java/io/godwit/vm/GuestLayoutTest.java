package io.godwit.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestLayoutTest {
    private static final long MIB = 1 << 20;

    private static VmSpec spec(long memory, int vcpus, long workingSet, long rate, DeviceSpec... devices) {
        return new VmSpec(
                "vm-1", "soft", memory, vcpus, new WorkloadSpec(workingSet, rate, false), List.of(devices), 1);
    }

    private static DeviceSpec device(String name, long pinned) {
        return new DeviceSpec(name, "gpu", "container-0", MIB, 0, pinned, 0, "PERSISTENT");
    }

    @Test
    void slicesFollowTheSystemAndPinnedRangesArePackedFromTheEnd() {
        GuestLayout layout =
                new GuestLayout(spec(64 * MIB, 2, 8 * MIB, 0, device("gpu0", 4 * MIB), device("gpu1", MIB)));
        assertThat(layout.slice(0)).isEqualTo(new GuestLayout.Range(2 * MIB, 4 * MIB));
        assertThat(layout.slice(1)).isEqualTo(new GuestLayout.Range(6 * MIB, 4 * MIB));
        assertThat(layout.pinned("gpu0")).isEqualTo(new GuestLayout.Range(60 * MIB, 4 * MIB));
        assertThat(layout.pinned("gpu1")).isEqualTo(new GuestLayout.Range(59 * MIB, MIB));
        assertThat(layout.slice(1).firstPage()).isEqualTo(6 * 256);
        assertThat(layout.slice(1).pages()).isEqualTo(4 * 256);
    }

    @Test
    void workingSetAndPinnedRangesMayFillMemoryToTheLastPageAndNotBeyond() {
        assertThat(new GuestLayout(spec(8 * MIB, 1, 4 * MIB, 0, device("gpu0", 2 * MIB))).pinned("gpu0"))
                .isEqualTo(new GuestLayout.Range(6 * MIB, 2 * MIB));
        refused(spec(8 * MIB, 1, 4 * MIB + 4096, 0, device("gpu0", 2 * MIB)), "do not fit");
        refused(spec(8 * MIB, 1, 0, 0, device("gpu0", 16 * MIB)), "do not fit");
    }

    @Test
    void sizesThatCannotBeAreRefusedWithWhatWasExpected() {
        refused(spec(2 * MIB, 1, 0, 0), "at least 4 MiB");
        refused(spec(5 * MIB, 1, 0, 0), "multiple of 2 MiB");
        refused(spec(8 * MIB, 0, 0, 0), "expected 1 to 4");
        refused(spec(8 * MIB, 5, 0, 0), "expected 1 to 4");
        refused(spec(8 * MIB, 2, 4096, 0), "multiple of 8192");
        refused(spec(8 * MIB, 1, -4096, 0), "working set of -4096");
        refused(spec(8 * MIB, 1, 0, -1), "dirty rate of -1");
        refused(spec(8 * MIB, 1, 0, 0, device("gpu0", 1000)), "1000 pinned bytes");
        refused(spec(8 * MIB, 1, 0, 0, device("gpu0", 0), device("gpu0", 0)), "two devices named gpu0");
    }

    @Test
    void aDeviceThatIsNotInTheSpecHasNoRange() {
        GuestLayout layout = new GuestLayout(spec(8 * MIB, 1, 0, 0));
        assertThatThrownBy(() -> layout.pinned("nic0"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nic0");
    }

    private static void refused(VmSpec spec, String reason) {
        assertThatThrownBy(() -> new GuestLayout(spec))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason)
                .hasMessageContaining("vm-1");
    }

    @Test
    void containersAreNamedOnceInUseAndRemappedBehindAViommuOnly() {
        DeviceSpec gpu = device("gpu0", MIB);
        ContainerSpec plain = new ContainerSpec("container-0", false, 0);
        ContainerSpec viommu = new ContainerSpec("container-0", true, MIB);
        assertThat(new GuestLayout(spec(gpu, viommu)).container("container-0")).isEqualTo(viommu);
        assertThat(new GuestLayout(spec(gpu)).container("container-0")).isEqualTo(plain);
        refused(spec(gpu, viommu, plain), "container container-0: listed twice");
        refused(spec(gpu, new ContainerSpec("other", true, 0)), "container other: no device is in it");
        refused(spec(gpu, new ContainerSpec("container-0", false, 1)), "a remap rate of 1 bytes/s");
        refused(spec(gpu, new ContainerSpec("container-0", true, -1)), "a remap rate of -1 bytes/s");
    }

    private static VmSpec spec(DeviceSpec device, ContainerSpec... containers) {
        return new VmSpec(
                "vm-1", "soft", 8 * MIB, 1, new WorkloadSpec(0, 0, false), List.of(device), 1, List.of(containers), "");
    }
}
