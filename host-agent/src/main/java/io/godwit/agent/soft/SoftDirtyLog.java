package io.godwit.agent.soft;

import io.godwit.memory.DirtyBitmap;

/** The CPU dirty log of a soft guest: a bit is set after the store, while the log is on. */
final class SoftDirtyLog {
    private final DirtyBitmap dirty;
    private volatile boolean on;

    SoftDirtyLog(long pages) {
        dirty = new DirtyBitmap(pages);
    }

    void start() {
        dirty.clear();
        on = true;
    }

    void stop() {
        on = false;
    }

    boolean isOn() {
        return on;
    }

    void written(long page) {
        if (on) {
            dirty.set(page);
        }
    }

    long collect(DirtyBitmap into) {
        return dirty.drainInto(into);
    }
}
