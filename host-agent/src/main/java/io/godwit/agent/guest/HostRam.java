package io.godwit.agent.guest;

import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * The RAM of one guest on this host, outside the Java heap and outside its direct memory limit. After {@link #close} any
 * access throws instead of touching freed memory, because the segment's arena is closed with it.
 */
public final class HostRam implements AutoCloseable {
    private static final long HUGE_PAGE = 2L << 20;

    private final Arena arena;
    private final GuestMemory memory;

    private HostRam(Arena arena, MemorySegment segment) {
        this.arena = arena;
        this.memory = new GuestMemory(segment);
    }

    /**
     * Maps {@code bytes} of zeroed memory.
     *
     * @param owner VM named in errors
     * @param hugePages whether to ask for 2 MiB pages; where the host has none, 4 KiB pages serve
     * @param prefault whether to touch every page now
     * @throws GuestException when the host does not have that much memory
     */
    public static HostRam map(String owner, long bytes, boolean hugePages, boolean prefault) throws GuestException {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")
                ? mapLinux(owner, bytes, hugePages, prefault)
                : allocate(owner, bytes);
    }

    @SuppressWarnings("restricted") // reinterpret: see the reason at the call
    private static HostRam mapLinux(String owner, long bytes, boolean hugePages, boolean prefault)
            throws GuestException {
        Posix posix = new Posix();
        long mapped = bytes + HUGE_PAGE; // room to begin at a huge page boundary
        // no MAP_NORESERVE: the kernel then refuses at once what it could never back, instead of killing someone later
        long base = posix.mmap(mapped, Posix.PROT_RW, Posix.MAP_PRIVATE_ANONYMOUS, -1);
        if (base < 0 && base > -4096) {
            throw new GuestException(
                    "VM " + owner + ": mmap of " + bytes + " bytes of guest RAM: " + Posix.describe(base));
        }
        long start = (base + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        if (hugePages) {
            posix.madvise(start, bytes, Posix.MADV_HUGEPAGE); // a kernel without huge pages refuses; 4 KiB pages then
        }
        if (prefault) {
            int populated = posix.madvise(start, bytes, Posix.MADV_POPULATE_WRITE);
            if (populated < 0) {
                posix.munmap(base, mapped);
                throw new GuestException("VM " + owner + ": MADV_POPULATE_WRITE of " + bytes + " bytes of guest RAM: "
                        + Posix.describe(populated));
            }
        }
        Arena arena = Arena.ofShared();
        // sound: exactly the mapped range, unmapped only by its arena, after which the segment refuses access
        MemorySegment segment =
                MemorySegment.ofAddress(start).reinterpret(bytes, arena, _ -> new Posix().munmap(base, mapped));
        return new HostRam(arena, segment);
    }

    private static HostRam allocate(String owner, long bytes) throws GuestException {
        Arena arena = Arena.ofShared();
        try {
            return new HostRam(arena, arena.allocate(bytes, GuestMemory.PAGE_SIZE));
        } catch (OutOfMemoryError e) {
            arena.close();
            throw new GuestException(
                    "VM " + owner + ": " + bytes + " bytes of guest RAM are not to be had: " + e.getMessage(), e);
        }
    }

    /** The memory. */
    public GuestMemory memory() {
        return memory;
    }

    /**
     * Frees it; nothing when freed.
     *
     * @throws IllegalStateException while an I/O call still holds a buffer over it; try again when that has ended
     */
    @Override
    public void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    "guest RAM of " + memory.bytes() + " bytes is still in use by an I/O call; close again after it",
                    e);
        }
    }
}
