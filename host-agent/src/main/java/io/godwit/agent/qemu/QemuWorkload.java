package io.godwit.agent.qemu;

import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/** The workload that a QEMU guest of ours runs, and its boot image. Both hosts of a migration derive it from the spec. */
final class QemuWorkload {
    private QemuWorkload() {}

    /**
     * What the guest runs, if it is one of ours.
     *
     * @throws GuestException when there is no such workload, or the guest has no room for it: names what was wrong
     */
    static Optional<BootSectorGuest> of(VmSpec spec) throws GuestException {
        QemuSpec qemu = spec.qemu().orElse(QemuSpec.DEFAULT);
        if (qemu.workload().isEmpty()) {
            return Optional.empty();
        }
        if (!qemu.workload().equals(QemuSpec.BOOT_SECTOR)) {
            throw new GuestException("VM " + spec.name() + ": workload '" + qemu.workload() + "'; expected "
                    + QemuSpec.BOOT_SECTOR + " or none");
        }
        try {
            return Optional.of(BootSectorGuest.of(
                    spec.memoryBytes(),
                    spec.workload().workingSetBytes(),
                    spec.workload().dirtyBytesPerSecond()));
        } catch (IllegalArgumentException e) {
            throw new GuestException("VM " + spec.name() + ": " + e.getMessage(), e);
        }
    }

    /** Makes the image that the guest boots from, in place of one of an earlier VM of its name; blocks. */
    static void prepare(VmSpec spec, QemuFiles files) throws IOException, GuestException {
        Optional<BootSectorGuest> guest = of(spec);
        if (guest.isPresent()) {
            Files.createDirectories(files.folder());
            Files.deleteIfExists(files.image());
            guest.get().writeImage(files.image());
        }
    }
}
