package io.godwit.migration;

import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** A guest that writes nothing by itself: the test says how many pages each look at the dirty log finds. */
final class FakeGuest implements Guest {
    private final Arena arena = Arena.ofShared();
    private final GuestMemory memory;
    /** Pages found by every look at the dirty log. */
    final AtomicLong dirtyPages = new AtomicLong();

    volatile boolean runs = true;

    /** Whether its dirty log is on. */
    volatile boolean logs;

    volatile int throttlePercent;

    /** Of that many pages, none of them zero. */
    FakeGuest(long pages) {
        memory = new GuestMemory(arena.allocate(pages * GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE));
        memory.segment().fill((byte) 7);
    }

    @Override
    public String driver() {
        return "soft";
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public int vcpuCount() {
        return 1;
    }

    @Override
    public void run() {
        runs = true;
    }

    @Override
    public void pause() {
        runs = false;
    }

    @Override
    public void throttle(int percent) {
        throttlePercent = percent;
    }

    @Override
    public void startDirtyLog() {
        logs = true;
    }

    @Override
    public void stopDirtyLog() {
        logs = false;
    }

    @Override
    public long collectDirty(DirtyBitmap into) {
        long pages = runs ? dirtyPages.get() : 0;
        into.setRange(0, pages);
        return pages;
    }

    @Override
    public byte[] saveVcpu(int index) {
        return new byte[] {1};
    }

    @Override
    public void loadVcpu(int index, byte[] state) {}

    @Override
    public long[] writesCounted() {
        return new long[1];
    }

    @Override
    public Optional<String> failure() {
        return Optional.empty();
    }

    @Override
    public void close() {
        arena.close();
    }
}
