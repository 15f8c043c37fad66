package io.godwit.api;

import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;

/**
 * What any host would refuse in the specification of a QEMU guest, and what belongs to native guests alone. Found before a
 * host is asked, as by {@link VmLimits}.
 */
final class QemuLimits {
    private static final long PAGE_BYTES = 4096;

    /** The first MiB is the firmware's, and so are the last two (io.godwit.agent.qemu.workload.BootSectorGuest). */
    private static final long FIRMWARE_BYTES = 3L << 20;

    /** End of what the boot sector maps, less where its pages begin. */
    private static final long WORKING_SET_MAX = (2L << 30) - (1L << 20);

    private QemuLimits() {}

    /**
     * Checks a guest whose driver is qemu.
     *
     * @throws ApiProblem 400, naming the field and what was expected
     */
    static void check(VmSpec spec) {
        if (!spec.devices().isEmpty()) {
            throw ApiProblem.badRequest(
                    "field 'devices' names " + spec.devices().getFirst().name()
                            + " for a VM with driver qemu; expected none: they are models of the native guests");
        }
        if (spec.workload().fill()) {
            throw ApiProblem.badRequest("field 'workload.fill' is true for a VM with driver qemu; expected false");
        }
        long workingSet = spec.workload().workingSetBytes();
        long rate = spec.workload().dirtyBytesPerSecond();
        boolean ours = spec.qemu().filter(qemu -> !qemu.workload().isEmpty()).isPresent();
        if (!ours && (workingSet > 0 || rate > 0)) {
            throw ApiProblem.badRequest("field 'workload."
                    + (workingSet > 0 ? "workingSetBytes" : "dirtyBytesPerSecond")
                    + "' is " + (workingSet > 0 ? workingSet : rate)
                    + " for a QEMU guest that is not ours; expected 0, or qemu.workload " + QemuSpec.BOOT_SECTOR);
        }
        if (!ours) {
            return;
        }
        long room = Math.min(spec.memoryBytes() - FIRMWARE_BYTES, WORKING_SET_MAX);
        if (workingSet > room) {
            throw ApiProblem.badRequest("field 'workload.workingSetBytes' is " + workingSet + "; expected at most "
                    + room + ": the memory less 3 MiB for the firmware, and less than 2 GiB");
        }
        if (rate > 0 && (rate < PAGE_BYTES || rate / PAGE_BYTES > Integer.MAX_VALUE)) {
            throw ApiProblem.badRequest("field 'workload.dirtyBytesPerSecond' is " + rate
                    + "; expected 0 (as fast as it can), or a page of " + PAGE_BYTES + " or more");
        }
    }
}
