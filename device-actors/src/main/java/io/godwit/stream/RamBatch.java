package io.godwit.stream;

import java.io.IOException;

/** Whole RAM frames gathered into one write. For one thread. */
sealed interface RamBatch permits CopiedBatch, InPlaceBatch {
    /** Adds a run of zero pages; may flush first. */
    void zero(long page, int count) throws IOException;

    /** Adds a run of pages with their bytes; may flush first. */
    void data(long page, int count) throws IOException;

    /** Writes what was added. */
    void flush() throws IOException;
}
