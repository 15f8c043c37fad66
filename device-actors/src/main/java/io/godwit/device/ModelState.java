package io.godwit.device;

import io.godwit.memory.DirtyBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * The state of a model device: native memory whose first words are the engine's registers, then a pattern in which pages
 * change. Knows what of it has still to be given out, and what has been taken in. Its owner locks it.
 */
final class ModelState implements AutoCloseable {
    /** Least size: the registers and one counter that changes. */
    static final int BYTES_MIN = 128;

    /** Most of its beginning that counts as initial data: the tables a driver would read first. */
    static final long INITIAL_BYTES_MAX = 1L << 20;

    private static final int PAGE = 4096;
    private static final int COUNTER_AT = 64;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    /** The engine's registers, by their offset in the state. */
    enum Register {
        DMA_WRITES(0),
        DMA_CARRY(8),
        TOUCHES(16),
        TOUCH_CARRY(24),
        REMAPS(32),
        REMAP_CARRY(40);

        private final long at;

        Register(long at) {
            this.at = at;
        }
    }

    private final String device;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final DirtyBitmap outstanding;
    private final DirtyBitmap missing;
    private final long counters;
    /** Pages from the first that are initial data. */
    private final long initialPages;

    private long initialGiven;
    private long cursor;
    private int sequence;
    private boolean ending;
    private boolean endGiven;
    private int expected;
    private boolean endTaken;

    /** {@code bytes} of state, at least {@link #BYTES_MIN}, filled with a pattern of {@code seed}. */
    ModelState(String device, long bytes, long seed) {
        this.device = device;
        memory = arena.allocate(bytes, Long.BYTES);
        outstanding = new DirtyBitmap((bytes + PAGE - 1) / PAGE);
        missing = new DirtyBitmap(outstanding.pages());
        counters = (bytes - COUNTER_AT - Long.BYTES) / PAGE + 1;
        initialPages = Math.min(INITIAL_BYTES_MAX, bytes / 4) / PAGE;
        for (long at = COUNTER_AT; at + Long.BYTES <= bytes; at += Long.BYTES) {
            memory.set(ValueLayout.JAVA_LONG, at, mix(seed, at));
        }
    }

    long register(Register register) {
        return memory.get(ValueLayout.JAVA_LONG, register.at);
    }

    void register(Register register, long value) {
        memory.set(ValueLayout.JAVA_LONG, register.at, value);
    }

    /** Changes {@code count} pages, one after the other, round and round. */
    void touch(long count) {
        long done = register(Register.TOUCHES);
        for (long i = 0; i < count; i++, done++) {
            long page = done % counters;
            long at = page * PAGE + COUNTER_AT;
            memory.set(ValueLayout.JAVA_LONG, at, memory.get(ValueLayout.JAVA_LONG, at) + 1);
            outstanding.set(page);
        }
        register(Register.TOUCHES, done);
    }

    /** Begins to give out: all of it is outstanding. */
    void beginSave() {
        outstanding.setAll();
        initialGiven = 0;
        cursor = 0;
        sequence = 0;
        ending = false;
        endGiven = false;
    }

    /** The device stands still: the registers change no more and go last, then the end. */
    void beginEnd() {
        outstanding.set(0);
        ending = true;
    }

    /** Bytes outstanding; with the end still to come, its header too. */
    long outstandingBytes() {
        long pages = outstanding.count();
        long last = outstanding.pages() - 1;
        long cut = pages > 0 && outstanding.get(last) ? (last + 1) * PAGE - bytes() : 0;
        return pages * PAGE - cut + (ending && !endGiven ? StateBlock.HEADER_BYTES : 0);
    }

    /** The same while it runs, told apart: pages of the first table that change after they were given out are not initial. */
    PrecopyInfo precopyInfo() {
        long initial = (initialPages - initialGiven) * PAGE;
        return new PrecopyInfo(initial, outstandingBytes() - initial);
    }

    /** Bytes of all of it. */
    long bytes() {
        return memory.byteSize();
    }

    /**
     * Fills {@code into} with whole blocks.
     *
     * @return bytes given out; 0 when nothing is outstanding for now, -1 when the end has been given out
     */
    int read(ByteBuffer into) throws DeviceException {
        if (endGiven) {
            return -1;
        }
        int begin = into.position();
        while (into.remaining() > StateBlock.HEADER_BYTES) {
            long page = outstanding.nextSet(cursor);
            if (page < 0 && cursor > 0) {
                cursor = 0;
                page = outstanding.nextSet(0);
            }
            if (page < 0) {
                break;
            }
            int fit = (into.remaining() - StateBlock.HEADER_BYTES) / PAGE;
            if (fit == 0) {
                break;
            }
            int run = outstanding.takeRun(page, fit);
            long offset = page * PAGE;
            int length = (int) Math.min((long) run * PAGE, bytes() - offset);
            give(into, offset, length);
            cursor = page + run;
            // the cursor starts at the first page: the initial data goes first
            initialGiven = Math.max(initialGiven, Math.min(cursor, initialPages));
        }
        if (ending && outstanding.nextSet(0) < 0 && into.remaining() >= StateBlock.HEADER_BYTES) {
            give(into, bytes(), 0);
            endGiven = true;
        }
        int given = into.position() - begin;
        if (given == 0 && outstandingBytes() > 0) {
            throw new DeviceException("device " + device + ": a buffer of " + into.remaining()
                    + " bytes; expected at least " + (PAGE + StateBlock.HEADER_BYTES));
        }
        return given;
    }

    private void give(ByteBuffer into, long offset, int length) {
        int at = into.position();
        into.position(at + StateBlock.HEADER_BYTES);
        if (length > 0) {
            MemorySegment target = MemorySegment.ofBuffer(into.duplicate().limit(into.position() + length));
            MemorySegment.copy(memory, offset, target, 0, length);
            into.position(into.position() + length);
        }
        new StateBlock(sequence++, offset, length).seal(into, at);
    }

    /** Begins to take in: nothing of what was there remains. */
    void beginLoad() {
        memory.fill((byte) 0);
        missing.setAll();
        expected = 0;
        endTaken = false;
    }

    /**
     * Takes whole blocks in; all of the chunk or, when any of it is refused, none.
     *
     * @param spoiled whether a byte of each block becomes another one on the way, which nobody notices
     * @throws DeviceException when a block is damaged, out of order, or lies outside the state
     */
    void write(ByteBuffer chunk, boolean spoiled) throws DeviceException {
        int next = expected;
        boolean ended = endTaken;
        for (int at = chunk.position(); at < chunk.limit(); ) {
            StateBlock block = check(chunk, at, next, ended);
            ended = block.end();
            next = block.sequence() + 1;
            at += StateBlock.HEADER_BYTES + block.length();
        }
        while (chunk.hasRemaining()) {
            StateBlock block = StateBlock.read(chunk, chunk.position());
            chunk.position(chunk.position() + StateBlock.HEADER_BYTES);
            if (block.sequence() == 0) {
                missing.setAll();
            }
            if (!block.end()) {
                MemorySegment source = MemorySegment.ofBuffer(chunk).asSlice(0, block.length());
                MemorySegment.copy(source, 0, memory, block.offset(), block.length());
                if (spoiled) {
                    long last = block.offset() + block.length() - 1;
                    memory.set(ValueLayout.JAVA_BYTE, last, (byte) ~memory.get(ValueLayout.JAVA_BYTE, last));
                }
                missing.clearRange(block.offset() / PAGE, (block.length() + PAGE - 1) / PAGE);
                chunk.position(chunk.position() + block.length());
            }
        }
        expected = next;
        endTaken = ended;
    }

    private StateBlock check(ByteBuffer chunk, int at, int next, boolean ended) throws DeviceException {
        StateBlock block;
        try {
            block = StateBlock.read(chunk, at);
        } catch (DeviceException e) {
            throw new DeviceException("device " + device + " refuses a chunk: " + e.getMessage(), e);
        }
        if (block.sequence() != 0 && (block.sequence() != next || ended)) {
            throw new DeviceException("device " + device + " refuses a chunk: block " + block.sequence() + " where "
                    + (ended ? "the state had ended" : "block " + next + " was expected"));
        }
        if (block.end()) {
            return block;
        }
        boolean pages = block.offset() % PAGE == 0
                && (block.length() % PAGE == 0 || block.offset() + block.length() == bytes());
        if (block.offset() < 0 || block.offset() > bytes() - block.length() || !pages) {
            throw new DeviceException("device " + device + " refuses a chunk: block " + block.sequence() + " for "
                    + block.length() + " bytes at " + block.offset() + " of a state of " + bytes());
        }
        return block;
    }

    /** Ends taking in: all must have come. */
    void endLoad() throws DeviceException {
        long first = missing.nextSet(0);
        if (first >= 0 || !endTaken) {
            throw new DeviceException("device " + device + " has not got all of its state: "
                    + (first >= 0 ? "nothing came for the bytes from " + first * PAGE : "its end did not come"));
        }
    }

    /** All zero, as after a reset. */
    void erase() {
        memory.fill((byte) 0);
    }

    /** Digest of all of it: four lanes, so that the multiplications overlap. */
    long digest() {
        long a = 1;
        long b = 2;
        long c = 3;
        long d = 4;
        long at = 0;
        for (; at + 32 <= bytes(); at += 32) {
            a = mix(a, memory.get(ValueLayout.JAVA_LONG, at));
            b = mix(b, memory.get(ValueLayout.JAVA_LONG, at + 8));
            c = mix(c, memory.get(ValueLayout.JAVA_LONG, at + 16));
            d = mix(d, memory.get(ValueLayout.JAVA_LONG, at + 24));
        }
        for (; at < bytes(); at++) {
            a = mix(a, memory.get(ValueLayout.JAVA_BYTE, at));
        }
        return mix(mix(mix(a, b), c), d);
    }

    /** A step of the digest: reversible in each argument, so no two different words meet at once. */
    static long mix(long sum, long word) {
        long z = (sum ^ word) * MIX + 1;
        return z ^ (z >>> 29);
    }

    @Override
    public void close() {
        arena.close();
    }
}
