package io.godwit.agent.qemu;

import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.Optional;

/** What a VM's spec alone says against a migration. Pure. */
final class QemuBlockers {
    private QemuBlockers() {}

    /** The first reason, named; empty when the spec holds none. */
    static Optional<String> of(VmSpec spec) {
        for (QemuDisk disk : spec.qemu().orElse(QemuSpec.DEFAULT).disks()) {
            if (!disk.shared()) {
                return Optional.of("disk " + disk.path() + " of VM " + spec.name()
                        + " is on this host alone; expected an image that both hosts reach");
            }
        }
        return devices(spec);
    }

    /** What no QEMU guest can have, migrated or not. */
    static Optional<String> devices(VmSpec spec) {
        return spec.devices().isEmpty()
                ? Optional.empty()
                : Optional.of("device " + spec.devices().getFirst().name() + " of VM " + spec.name()
                        + " is a model of the native guests; a QEMU guest has none of those");
    }
}
