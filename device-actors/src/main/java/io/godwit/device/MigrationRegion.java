package io.godwit.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The device's side of the v1 migration region: the registers, the data window, and the order in which they may be used.
 * Saving, one chunk: pending_bytes → data_offset → data_size → the data → pending_bytes, which acknowledges. Resuming, one
 * chunk: data_offset → the data → data_size, which commits. Little-endian, native widths only.
 */
final class MigrationRegion {
    static final int DEVICE_STATE = 0;
    static final int PENDING_BYTES = 8;
    static final int DATA_OFFSET = 16;
    static final int DATA_SIZE = 24;
    /** Registers have a page of their own, so that the window could be mapped. */
    static final int WINDOW_AT = 4096;

    static final int STOPPED = 0;
    static final int RUNNING = 1;
    static final int SAVING = 2;
    static final int RESUMING = 4;
    static final int ERROR = SAVING | RESUMING;
    static final int STATE_MASK = RUNNING | SAVING | RESUMING;

    /** What the registers stand for. */
    interface Vendor {
        /** Goes from one state to the other; throws to stay, after {@link MigrationRegion#broken()} if it cannot stay. */
        void enter(int from, int to) throws DeviceException;

        /** Bytes still to be given out. */
        long pending();

        /** Puts the next chunk into {@code window}. */
        void fill(ByteBuffer window) throws DeviceException;

        /** Takes a chunk in. */
        void consume(ByteBuffer data) throws DeviceException;
    }

    private enum Turn {
        /** Nothing under way. */
        IDLE,
        /** pending_bytes has been read and was not 0. */
        ANNOUNCED,
        /** A chunk lies in the window. */
        OFFERED,
        /** Its size has been read: it is being read out. */
        SIZED,
        /** The window is open for a chunk to come in. */
        OPEN
    }

    private final String device;
    private final Vendor vendor;
    private final ByteBuffer window;
    private int state = STOPPED;
    private int preserved;
    private Turn turn = Turn.IDLE;
    private int size;
    private int done;

    MigrationRegion(String device, Vendor vendor, int windowBytes) {
        this.device = device;
        this.vendor = vendor;
        this.window = ByteBuffer.allocateDirect(windowBytes);
    }

    long bytes() {
        return WINDOW_AT + (long) window.capacity();
    }

    int state() {
        return state;
    }

    /** The device has failed: only a reset helps. */
    void broken() {
        state = ERROR;
        turn = Turn.IDLE;
    }

    /** After a reset. */
    void reset() {
        state = RUNNING;
        preserved = 0;
        turn = Turn.IDLE;
    }

    void read(long offset, ByteBuffer into) throws DeviceException {
        int bytes = into.remaining();
        if (offset >= WINDOW_AT) {
            readWindow(offset, into);
            return;
        }
        long value = switch (register(offset, bytes)) {
            case DEVICE_STATE -> state | preserved;
            case PENDING_BYTES -> readPending();
            case DATA_OFFSET -> readOffset();
            case DATA_SIZE -> readSize();
            default -> throw refused("a read of " + bytes + " bytes at " + offset + ", where no register is");
        };
        ByteOrder order = into.order();
        into.order(ByteOrder.LITTLE_ENDIAN);
        if (bytes == Integer.BYTES) {
            into.putInt((int) value);
        } else {
            into.putLong(value);
        }
        into.order(order);
    }

    void write(long offset, ByteBuffer from) throws DeviceException {
        if (offset >= WINDOW_AT) {
            writeWindow(offset, from);
            return;
        }
        int at = register(offset, from.remaining());
        ByteBuffer little = from.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        switch (at) {
            case DEVICE_STATE -> writeState(little.getInt());
            case DATA_SIZE -> commit(little.getLong());
            default -> throw refused("a write at " + offset + ", where no register can be written");
        }
        from.position(from.limit());
    }

    /** Only whole registers, each in its own width. */
    private int register(long offset, int bytes) throws DeviceException {
        boolean fits = offset == DEVICE_STATE
                ? bytes == Integer.BYTES
                : (offset == PENDING_BYTES || offset == DATA_OFFSET || offset == DATA_SIZE) && bytes == Long.BYTES;
        if (!fits) {
            throw refused("an access of " + bytes + " bytes at " + offset
                    + "; expected 4 bytes at 0, or 8 at 8, 16 or 24, or the data window");
        }
        return (int) offset;
    }

    private void writeState(int value) throws DeviceException {
        int to = value & STATE_MASK;
        if (to != state && !legal(state, to)) {
            throw refused("device_state " + to + " while it is " + state);
        }
        if (to != state) {
            vendor.enter(state, to);
            state = to;
            turn = Turn.IDLE;
        }
        preserved = value & ~STATE_MASK;
    }

    /** The transitions of linux/vfio.h, and those QEMU 5.2 to 7.2 makes to roll back. */
    static boolean legal(int from, int to) {
        return switch (from) {
            case RUNNING -> to == STOPPED || to == SAVING || to == (RUNNING | SAVING) || to == RESUMING;
            case RUNNING | SAVING -> to == SAVING || to == RUNNING || to == STOPPED;
            case SAVING, RESUMING -> to == STOPPED || to == RUNNING;
            case STOPPED -> to == RUNNING || to == SAVING || to == RESUMING;
            default -> false;
        };
    }

    private long readPending() throws DeviceException {
        if ((state & SAVING) == 0 || state == ERROR) {
            return 0;
        }
        if (turn == Turn.OFFERED || (turn == Turn.SIZED && done < size)) {
            throw refused("pending_bytes read before the chunk of " + window.limit() + " bytes was read out");
        }
        long pending = vendor.pending();
        turn = pending > 0 ? Turn.ANNOUNCED : Turn.IDLE;
        return pending;
    }

    private long readOffset() throws DeviceException {
        if (state == RESUMING) {
            turn = Turn.OPEN;
            done = 0;
            return WINDOW_AT;
        }
        if (turn != Turn.ANNOUNCED) {
            throw refused("data_offset read before pending_bytes said that there is data");
        }
        window.clear();
        vendor.fill(window);
        window.flip();
        turn = Turn.OFFERED;
        return WINDOW_AT;
    }

    private long readSize() throws DeviceException {
        if (turn != Turn.OFFERED) {
            throw refused("data_size read before data_offset");
        }
        turn = Turn.SIZED;
        size = window.limit();
        done = 0;
        return size;
    }

    private void readWindow(long offset, ByteBuffer into) throws DeviceException {
        int bytes = into.remaining();
        if (turn != Turn.SIZED || offset != WINDOW_AT + (long) done || bytes > size - done) {
            throw refused("a read of " + bytes + " bytes of data at " + offset + "; expected "
                    + (turn == Turn.SIZED
                            ? "at most " + (size - done) + " at " + (WINDOW_AT + done)
                            : "data_size first"));
        }
        into.put(window.slice(done, bytes));
        done += bytes;
    }

    private void writeWindow(long offset, ByteBuffer from) throws DeviceException {
        int bytes = from.remaining();
        if (turn != Turn.OPEN || offset != WINDOW_AT + (long) done || bytes > window.capacity() - done) {
            throw refused("a write of " + bytes + " bytes of data at " + offset + "; expected "
                    + (turn == Turn.OPEN
                            ? "at most " + (window.capacity() - done) + " at " + (WINDOW_AT + done)
                            : "data_offset to be read first, in _RESUMING"));
        }
        window.clear().position(done);
        window.put(from);
        done += bytes;
    }

    private void commit(long bytes) throws DeviceException {
        if (turn != Turn.OPEN || bytes != done || done == 0) {
            throw refused("data_size " + bytes + "; expected the number of bytes written to the window, "
                    + (turn == Turn.OPEN ? done : 0));
        }
        turn = Turn.IDLE;
        vendor.consume(window.clear().limit(done));
    }

    private DeviceException refused(String what) {
        return new DeviceException("device " + device + " refuses " + what);
    }
}
