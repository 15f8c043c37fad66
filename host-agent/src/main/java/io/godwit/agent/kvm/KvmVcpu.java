package io.godwit.agent.kvm;

import io.godwit.agent.guest.Posix;
import io.godwit.agent.guest.VcpuEngine;
import io.godwit.agent.guest.VcpuImage;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One vCPU. While it runs it stands, between two batches, in an exit of the guest program's doorbell read; {@link #settle}
 * answers that read with "no pages" and completes it, so that the registers say everything.
 */
final class KvmVcpu implements VcpuEngine, AutoCloseable {
    private static final int EXIT_MMIO = 6;

    // struct kvm_run
    private static final long IMMEDIATE_EXIT = 1;
    private static final long EXIT_REASON = 8;
    private static final long EXIT_DETAIL = 32;
    private static final long MMIO_DATA = 40;
    private static final long MMIO_LENGTH = 48;
    private static final long MMIO_IS_WRITE = 52;

    private final int index;
    private final GuestLayout.Range slice;
    private final VcpuImage image;
    private final long doorbell;
    private final KvmFile file;
    private final Arena runArena = Arena.ofShared();
    private final MemorySegment run;
    private final KvmVcpuState state;
    // sound: freed by the collector, reachable as long as this is
    private final MemorySegment registers = Arena.ofAuto().allocate(KvmRegisters.SREGS, 8);
    private boolean inDoorbell;
    private boolean hasState;

    /** Takes over {@code file}, also when it throws. */
    @SuppressWarnings("restricted") // reinterpret: see the reason at the call
    KvmVcpu(int index, GuestLayout.Range slice, long doorbell, KvmFile file, long runBytes) throws GuestException {
        this.index = index;
        this.slice = slice;
        this.image = new VcpuImage(KvmDriver.NAME, index, slice.firstPage(), slice.pages());
        this.doorbell = doorbell;
        this.file = file;
        this.state = new KvmVcpuState(file);
        long address;
        try {
            address = file.map(runBytes);
        } catch (GuestException e) {
            file.close();
            throw e;
        }
        // sound: exactly the mapped range, unmapped only by its arena, which close() closes after the thread has ended
        this.run = MemorySegment.ofAddress(address)
                .reinterpret(runBytes, runArena, _ -> new Posix().munmap(address, runBytes));
    }

    /** Sets the vCPU before the guest program's first instruction. */
    void reset() throws GuestException {
        file.call(KvmCall.KVM_GET_SREGS, registers);
        KvmRegisters.enterLongMode(registers);
        file.call(KvmCall.KVM_SET_SREGS, registers);
        KvmRegisters.first(registers, slice);
        file.call(KvmCall.KVM_SET_REGS, registers);
        hasState = true;
    }

    /**
     * Reads the whole state and puts it back: a host whose KVM refuses a part of it is found out now, not in a blackout,
     * which also finds the code already loaded.
     */
    void proveMovable() throws GuestException {
        state.load(state.save());
    }

    @Override
    public void batch(int pages) throws GuestException {
        if (!inDoorbell) {
            state.running();
            enter();
        }
        answer(pages);
        enter();
    }

    @Override
    public void settle() throws GuestException {
        if (!inDoorbell) {
            return;
        }
        answer(0);
        run.set(ValueLayout.JAVA_BYTE, IMMEDIATE_EXIT, (byte) 1);
        int result = file.enter();
        run.set(ValueLayout.JAVA_BYTE, IMMEDIATE_EXIT, (byte) 0);
        if (result != -Posix.EINTR) {
            throw new GuestException("KVM_RUN with immediate_exit on vCPU " + index + " ended with exit reason "
                    + run.get(ValueLayout.JAVA_INT, EXIT_REASON) + "; expected EINTR");
        }
        inDoorbell = false;
    }

    boolean hasState() {
        return hasState;
    }

    /** Pages it has written, from the register that counts them. */
    long count() throws GuestException {
        file.call(KvmCall.KVM_GET_REGS, registers);
        return registers.get(ValueLayout.JAVA_LONG, KvmRegisters.R12);
    }

    byte[] save() throws GuestException {
        return image.encode(state.save());
    }

    void load(byte[] bytes) throws GuestException {
        state.load(image.decode(bytes, KvmVcpuState.BYTES));
        hasState = true;
    }

    /** Frees it, its thread having ended. */
    @Override
    public void close() {
        if (runArena.scope().isAlive()) {
            runArena.close();
        }
        file.close();
    }

    private void answer(int pages) {
        run.set(ValueLayout.JAVA_LONG, MMIO_DATA, pages);
    }

    /** Runs to the next read of the doorbell. */
    private void enter() throws GuestException {
        inDoorbell = false;
        int result;
        do {
            result = file.enter(); // a signal ends it in the middle of a batch: that is no place to stop, so go on
        } while (result == -Posix.EINTR);
        int reason = run.get(ValueLayout.JAVA_INT, EXIT_REASON);
        if (reason != EXIT_MMIO
                || run.get(ValueLayout.JAVA_LONG, EXIT_DETAIL) != doorbell
                || run.get(ValueLayout.JAVA_INT, MMIO_LENGTH) != Long.BYTES
                || run.get(ValueLayout.JAVA_BYTE, MMIO_IS_WRITE) != 0) {
            throw new GuestException("vCPU " + index + " exited with " + reason(reason) + ", detail 0x"
                    + Long.toHexString(run.get(ValueLayout.JAVA_LONG, EXIT_DETAIL))
                    + "; expected KVM_EXIT_MMIO, a read of 8 bytes at 0x" + Long.toHexString(doorbell));
        }
        inDoorbell = true;
    }

    private static String reason(int reason) {
        return switch (reason) {
            case 5 -> "KVM_EXIT_HLT";
            case EXIT_MMIO -> "KVM_EXIT_MMIO";
            case 8 -> "KVM_EXIT_SHUTDOWN (a triple fault)";
            case 9 -> "KVM_EXIT_FAIL_ENTRY";
            case 17 -> "KVM_EXIT_INTERNAL_ERROR";
            default -> "KVM exit reason " + reason;
        };
    }
}
