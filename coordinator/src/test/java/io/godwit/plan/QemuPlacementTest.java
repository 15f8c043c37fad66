package io.godwit.plan;

import static io.godwit.plan.Pictures.fleet;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.fleet.HostView;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** QEMU guests go only where QEMU can be what they are, and only those that can be migrated. */
class QemuPlacementTest {
    private static VmSpec spec(String machine, String accelerator, String... arguments) {
        return Pictures.vm("a", "qemu", 64)
                .withQemu(new QemuSpec(
                        machine,
                        accelerator,
                        List.of(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        List.of(),
                        List.of(arguments),
                        Optional.empty()));
    }

    private static HostView host(String host, List<String> machines, List<String> accelerators, VmStatus... vms) {
        return new HostView(
                host,
                "UP",
                false,
                0,
                Optional.of(new HostInventory(
                        host,
                        "one",
                        1,
                        new HostCapacity(1 << 30, Map.of(), 2, 2),
                        List.of("qemu"),
                        new DataEndpoint("127.0.0.1", 7000),
                        Optional.of(new QemuAbility("7.2.22", machines, List.of("qemu64"), accelerators, true)),
                        List.of(vms))));
    }

    private static VmStatus running(VmSpec spec, String... blockers) {
        return new VmStatus(spec, RunState.RUNNING, 1, Optional.empty(), false, Optional.empty(), List.of(blockers));
    }

    private static Placement place(HostView... hosts) {
        return new FirstFit()
                .plan(Fleet.of(fleet(hosts)), Set.of("host-1"), List.of("a"), Map.of())
                .placements()
                .getFirst();
    }

    @Test
    void goesWhereTheMachineTypeIs() {
        VmSpec vm = spec("pc-q35-9.2", "tcg");
        assertThat(place(
                                host("host-1", List.of("pc-q35-9.2"), List.of("tcg"), running(vm)),
                                host("host-2", List.of("pc-q35-7.2"), List.of("tcg")),
                                host("host-3", List.of("pc-q35-9.2"), List.of("tcg")))
                        .to())
                .contains("host-3");
    }

    @Test
    void saysForEveryHostWhatItsQemuLacks() {
        VmSpec vm = spec("pc", "kvm", "-cpu", "EPYC,+x");
        Placement placement = place(
                host("host-1", List.of("pc"), List.of("kvm", "tcg"), running(vm)),
                host("host-2", List.of("pc"), List.of("kvm", "tcg")),
                host("host-3", List.of("pc"), List.of("tcg")));
        assertThat(placement.to()).isEmpty();
        assertThat(placement.reason())
                .contains("needs CPU model EPYC and accelerator kvm:"
                        + " host-2 has QEMU 7.2.22 without CPU model EPYC,"
                        + " host-3 has QEMU 7.2.22 without CPU model EPYC and has no /dev/kvm that works");
    }

    @Test
    void aVmThatCannotBeMigratedStaysWithEachReason() {
        VmSpec vm = spec("pc", "tcg");
        Placement placement = place(
                host("host-1", List.of("pc"), List.of("tcg"), running(vm, "non-migratable device: nvme", "and more")),
                host("host-2", List.of("pc"), List.of("tcg")));
        assertThat(placement.to()).isEmpty();
        assertThat(placement.reason()).contains("cannot be migrated: non-migratable device: nvme; and more");
    }
}
