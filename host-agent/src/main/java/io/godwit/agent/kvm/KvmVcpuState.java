package io.godwit.agent.kvm;

import io.godwit.vm.GuestException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Reads and writes the whole state of a vCPU as one payload of fixed size: the kernel's structures one after the other,
 * then the MSRs (numbers and values). The time stamp counter is among them, but as it was when the vCPU was first saved
 * after it stood still, or was loaded: it ticks on in a vCPU that stands, and the same state must give the same bytes.
 */
final class KvmVcpuState {
    /** One structure: how it is read, how written, and its size in bytes. */
    private record Part(KvmCall get, KvmCall set, int bytes) {}

    // in the order in which they are set: system registers decide how the others are read
    private static final List<Part> PARTS = List.of(
            new Part(KvmCall.KVM_GET_SREGS, KvmCall.KVM_SET_SREGS, KvmRegisters.SREGS),
            new Part(KvmCall.KVM_GET_XCRS, KvmCall.KVM_SET_XCRS, 392),
            new Part(KvmCall.KVM_GET_XSAVE, KvmCall.KVM_SET_XSAVE, 4096),
            new Part(KvmCall.KVM_GET_REGS, KvmCall.KVM_SET_REGS, KvmRegisters.REGS),
            new Part(KvmCall.KVM_GET_DEBUGREGS, KvmCall.KVM_SET_DEBUGREGS, 128),
            new Part(KvmCall.KVM_GET_VCPU_EVENTS, KvmCall.KVM_SET_VCPU_EVENTS, 64),
            new Part(KvmCall.KVM_GET_MP_STATE, KvmCall.KVM_SET_MP_STATE, 4));

    private static final int TSC = 0x10;

    private static final int[] MSRS = {
        TSC,
        0x174, // SYSENTER_CS
        0x175, // SYSENTER_ESP
        0x176, // SYSENTER_EIP
        0x277, // PAT
        0xC0000080, // EFER
        0xC0000081, // STAR
        0xC0000082, // LSTAR
        0xC0000083, // CSTAR
        0xC0000084, // SFMASK
        0xC0000102 // KERNEL_GS_BASE
    };

    private static final int MSR_HEADER = 8; // struct kvm_msrs: count, padding
    private static final int MSR_ENTRY = 16; // struct kvm_msr_entry: index, reserved, value
    private static final int MSR_BYTES = MSR_HEADER + MSRS.length * MSR_ENTRY;

    /** Bytes of the payload. */
    static final int BYTES = PARTS.stream().mapToInt(Part::bytes).sum() + MSR_BYTES;

    private final KvmFile vcpu;
    // sound: freed by the collector, reachable as long as this is; zero-filled, so padding is zero too
    private final MemorySegment buffer = Arena.ofAuto().allocate(BYTES + 64L, 64);
    private boolean tscKnown;
    private long tsc;

    KvmVcpuState(KvmFile vcpu) {
        this.vcpu = vcpu;
    }

    /** The vCPU is about to run: its time goes on. */
    void running() {
        tscKnown = false;
    }

    /** The payload of a vCPU that stands still with no exit open. */
    byte[] save() throws GuestException {
        buffer.fill((byte) 0);
        long offset = 0;
        for (Part part : PARTS) {
            vcpu.call(part.get(), slice(offset, part.bytes()));
            offset += part.bytes();
        }
        MemorySegment msrs = slice(offset, MSR_BYTES);
        msrs.set(ValueLayout.JAVA_INT_UNALIGNED, 0, MSRS.length);
        for (int i = 0; i < MSRS.length; i++) {
            msrs.set(ValueLayout.JAVA_INT_UNALIGNED, MSR_HEADER + (long) i * MSR_ENTRY, MSRS[i]);
        }
        all(KvmCall.KVM_GET_MSRS, vcpu.call(KvmCall.KVM_GET_MSRS, msrs));
        if (!tscKnown) {
            tsc = msrs.get(ValueLayout.JAVA_LONG_UNALIGNED, MSR_HEADER + 8);
            tscKnown = true;
        }
        msrs.set(ValueLayout.JAVA_LONG_UNALIGNED, MSR_HEADER + 8, tsc);
        return buffer.asSlice(0, BYTES).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Puts a payload into a vCPU that stands still. */
    void load(byte[] payload) throws GuestException {
        MemorySegment.copy(payload, 0, buffer, ValueLayout.JAVA_BYTE, 0, BYTES);
        long offset = 0;
        for (Part part : PARTS) {
            vcpu.call(part.set(), slice(offset, part.bytes()));
            offset += part.bytes();
        }
        MemorySegment msrs = slice(offset, MSR_BYTES);
        int[] found = new int[MSRS.length];
        for (int i = 0; i < MSRS.length; i++) {
            found[i] = msrs.get(ValueLayout.JAVA_INT_UNALIGNED, MSR_HEADER + (long) i * MSR_ENTRY);
        }
        if (msrs.get(ValueLayout.JAVA_INT_UNALIGNED, 0) != MSRS.length || !Arrays.equals(found, MSRS)) {
            throw new GuestException(
                    "vCPU state has MSRs " + Arrays.toString(found) + "; expected " + Arrays.toString(MSRS));
        }
        all(KvmCall.KVM_SET_MSRS, vcpu.call(KvmCall.KVM_SET_MSRS, msrs));
        tsc = msrs.get(ValueLayout.JAVA_LONG_UNALIGNED, MSR_HEADER + 8);
        tscKnown = true;
    }

    private MemorySegment slice(long offset, long bytes) {
        return buffer.asSlice(offset, bytes);
    }

    private static void all(KvmCall call, int done) throws GuestException {
        if (done < MSRS.length) {
            throw new GuestException(call + " stopped at MSR 0x" + Integer.toHexString(MSRS[done])
                    + ", which this host's KVM refuses; expected all " + MSRS.length);
        }
    }
}
