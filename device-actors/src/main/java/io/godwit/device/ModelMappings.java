package io.godwit.device;

import io.godwit.memory.DmaPort;
import io.godwit.memory.IommuException;
import io.godwit.memory.IommuSpace;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;

/**
 * Where the I/O virtual addresses of a model device's pinned memory lie. Without a vIOMMU they are mapped once, at a fixed
 * distance from the guest physical ones. With one the guest's driver has mapped the memory in pieces, scattered, and maps
 * them anew elsewhere one after the other.
 *
 * <p>Mappings are numbered through the life of the device, and number k is that of piece k modulo the number of pieces. The
 * oldest always goes first, so one number, that of the oldest, says where everything is mapped: kept in the device's
 * state, it lets the destination map as the source stood. The engine's lock guards it.
 */
final class ModelMappings {
    /** Where the I/O virtual addresses begin: never equal to a guest physical address. */
    static final long IOVA_BASE = 1L << 40;

    private static final long PIECE_MIN = 64 << 10;
    private static final long PIECE_MAX = 2 << 20;
    /** Addresses for each mapping there is at once: one just left is not soon used again. */
    private static final int SPREAD = 4;
    /** Room between the windows of two devices, as a multiple of the room between their memory. */
    private static final int WINDOW = 64;

    private final GuestLayout.Range memory;
    private final IommuSpace space;
    private final DmaPort port;
    private final long pieceBytes;
    private final int pieces;
    private final int slots;
    private long oldest;

    /** Of memory that is not mapped yet. */
    ModelMappings(GuestLayout.Range memory, IommuSpace space, DmaPort port) {
        this.memory = memory;
        this.space = space;
        this.port = port;
        this.pieceBytes = space.viommu()
                ? Math.clamp(powerOfTwo(memory.bytes() / 16), PIECE_MIN, PIECE_MAX)
                : Math.max(memory.bytes(), PIECE_MIN);
        this.pieces = Math.toIntExact((memory.bytes() + pieceBytes - 1) / pieceBytes);
        this.slots = Math.toIntExact(powerOfTwo((long) SPREAD * pieces));
    }

    private static long powerOfTwo(long atLeast) {
        return atLeast <= 1 ? 1 : Long.highestOneBit(atLeast - 1) << 1;
    }

    /** Bytes that {@link #remap} maps anew; 0 when it cannot. */
    long pieceBytes() {
        return space.viommu() ? pieceBytes : 0;
    }

    /** Maps and pins all of it, {@code number} being that of the oldest mapping. */
    void establish(long number) throws IommuException {
        oldest = number;
        for (long k = number; k < number + pieces; k++) {
            map(k);
        }
    }

    /** Maps as if {@code number} were and always had been that of the oldest mapping; nothing without a vIOMMU. */
    void moveTo(long number) throws IommuException {
        if (number < 0 || number > Long.MAX_VALUE - slots) {
            throw new IommuException("container " + space.name() + ": no mapping has the number " + number);
        }
        if (space.viommu()) {
            release();
            establish(number);
        }
    }

    /**
     * The guest's driver unmaps the oldest piece and maps it elsewhere.
     *
     * @return the number of the oldest mapping now
     */
    long remap() throws IommuException {
        space.unmap(iovaOf(oldest), bytesOf(oldest));
        map(oldest + pieces);
        return ++oldest;
    }

    /** Where the device finds its page {@code index}. */
    long iova(long index) {
        long offset = index * GuestMemory.PAGE_SIZE;
        long piece = offset / pieceBytes;
        return iovaOf(oldest + Math.floorMod(piece - oldest, pieces)) + offset % pieceBytes;
    }

    /** How many pages from {@code index} on lie side by side for the device, at most {@code max}. */
    long run(long index, long max) {
        long piecePages = pieceBytes / GuestMemory.PAGE_SIZE;
        return Math.min(max, Math.min(memory.pages(), (index / piecePages + 1) * piecePages) - index);
    }

    /** Unmaps all of it. */
    void release() throws IommuException {
        for (long k = oldest; k < oldest + pieces; k++) {
            space.unmap(iovaOf(k), bytesOf(k));
        }
    }

    private void map(long number) throws IommuException {
        space.map(iovaOf(number), gpaOf(number), bytesOf(number));
        port.pin(iovaOf(number), bytesOf(number));
    }

    private long gpaOf(long number) {
        return memory.gpa() + number % pieces * pieceBytes;
    }

    private long bytesOf(long number) {
        return Math.min(pieceBytes, memory.gpa() + memory.bytes() - gpaOf(number));
    }

    private long iovaOf(long number) {
        return space.viommu()
                ? IOVA_BASE + WINDOW * memory.gpa() + scatter(number % slots) * pieceBytes
                : IOVA_BASE + memory.gpa();
    }

    /** A fixed disorder of the slots: each step can be undone, so no two numbers below {@link #slots} meet. */
    private long scatter(long number) {
        int bits = Long.numberOfTrailingZeros(slots);
        long mixed = number * 0x9E3779B1L & slots - 1;
        mixed ^= mixed >>> (bits + 1) / 2;
        return mixed * 0x85EBCA6BL + 1 & slots - 1;
    }
}
