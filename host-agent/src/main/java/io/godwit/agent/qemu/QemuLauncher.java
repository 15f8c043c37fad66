package io.godwit.agent.qemu;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Starts QEMU processes that outlive the agent, and finds them again. Both methods block. */
interface QemuLauncher {
    /**
     * Starts {@code command} in a session of its own, and returns when it listens on its monitors.
     *
     * @throws IOException when it could not be started or ended at once, with its last words
     */
    QemuProcess launch(List<String> command, QemuFiles files) throws IOException;

    /** The process of an earlier agent, by its pid file; empty when it has ended. */
    Optional<QemuProcess> find(QemuFiles files) throws IOException;
}
