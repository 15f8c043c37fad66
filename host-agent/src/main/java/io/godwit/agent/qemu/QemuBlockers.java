package io.godwit.agent.qemu;

import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a VM's spec alone says against a migration. Pure. */
final class QemuBlockers {
    private QemuBlockers() {}

    /** Each reason, named; empty when the spec holds none. */
    static List<String> of(VmSpec spec) {
        List<String> reasons = new ArrayList<>();
        for (QemuDisk disk : spec.qemu().orElse(QemuSpec.DEFAULT).disks()) {
            if (!disk.shared()) {
                reasons.add("disk " + disk.path() + " of VM " + spec.name()
                        + " is on this host alone; expected an image that both hosts reach");
            }
        }
        devices(spec).ifPresent(reasons::add);
        return reasons;
    }

    /** What no QEMU guest can have, migrated or not. */
    static Optional<String> devices(VmSpec spec) {
        return spec.devices().isEmpty()
                ? Optional.empty()
                : Optional.of("device " + spec.devices().getFirst().name() + " of VM " + spec.name()
                        + " is a model of the native guests; a QEMU guest has none of those");
    }
}
