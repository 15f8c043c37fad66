package io.godwit.agent.qemu;

import java.util.concurrent.CompletionStage;

/** A QEMU process as its agent sees it. */
interface QemuProcess {
    /** Completes when it has ended, with how: exit status or signal, as far as it can be known, and its last words. */
    CompletionStage<String> ended();

    /** SIGTERM: QEMU ends in good order unless its main loop hangs. */
    void terminate();

    /** SIGKILL. */
    void kill();
}
