package io.godwit.agent;

import io.godwit.agent.qemu.HostProcesses;
import java.nio.file.Path;
import java.util.Optional;

/** The QEMU that tests run with. */
final class QemuAvailable {
    private QemuAvailable() {}

    /** Its path; skips the test where there is none. */
    static Path binary() {
        Optional<Path> found = HostProcesses.lookUp("qemu-system-x86_64");
        Requirement.need("qemu", found.isPresent(), "no qemu-system-x86_64 on the PATH");
        return found.orElseThrow();
    }
}
