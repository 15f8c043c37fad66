package io.godwit.agent.qemu;

import java.io.IOException;
import java.util.concurrent.CompletionStage;

/** A QEMU process as its agent sees it. */
interface QemuProcess {
    /** Completes when it has ended, with how: exit status or signal, as far as it can be known, and its last words. */
    CompletionStage<String> ended();

    /**
     * Its TCP sockets send what they have at once from now on ({@link NoDelay}).
     *
     * @return for how many of them that could be set
     * @throws IOException when it is gone, or is not to be reached so
     */
    int hurry() throws IOException;

    /** SIGTERM: QEMU ends in good order unless its main loop hangs. */
    void terminate();

    /** SIGKILL. */
    void kill();
}
