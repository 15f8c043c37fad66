package io.godwit.stream;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A reliable, ordered byte channel to the other side of a migration. One thread may read while another writes; closing
 * from any thread makes both fail with an {@link IOException}.
 */
public interface MigrationChannel extends Closeable {
    /**
     * Writes all that remains in {@code length} buffers from {@code offset}, gathered; blocks until all is taken.
     *
     * @throws IOException when the channel is closed or broken; part may have been sent
     */
    void write(ByteBuffer[] buffers, int offset, int length) throws IOException;

    /**
     * Reads what is there into {@code into}, at least one byte; blocks until there is something.
     *
     * @return bytes read; -1 when the other side has ended its direction
     */
    int read(ByteBuffer into) throws IOException;

    /** The other side, as shown to people. */
    String peer();
}
