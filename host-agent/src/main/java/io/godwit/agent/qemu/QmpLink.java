package io.godwit.agent.qemu;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A connection to a QMP monitor that carries lines. Reads block; one thread reads, one at a time writes. */
public interface QmpLink extends AutoCloseable {
    /** Opens a connection; blocks. */
    @FunctionalInterface
    interface Opener {
        /** Connects, or throws an IOException that names the socket and why. */
        QmpLink open() throws IOException;
    }

    /** The next line without its end; null when the other side has closed. */
    @Nullable
    String readLine() throws IOException;

    /** Sends one line; its end is added. */
    void writeLine(String line) throws IOException;

    /** Closes it; a blocked read ends with an IOException. */
    @Override
    void close();
}
