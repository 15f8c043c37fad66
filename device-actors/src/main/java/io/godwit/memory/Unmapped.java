package io.godwit.memory;

import java.util.List;

/**
 * What an unmap has taken away.
 *
 * @param pinned ranges that were pinned, by mapping; once for every device that had pinned them
 * @param dirty while tracking is on, the ranges of it that are dirty at the next report; empty while it is off
 */
public record Unmapped(List<IovaMapping> pinned, List<IovaMapping> dirty) {
    public Unmapped {
        pinned = List.copyOf(pinned);
        dirty = List.copyOf(dirty);
    }
}
