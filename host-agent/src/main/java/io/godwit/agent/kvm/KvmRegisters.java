package io.godwit.agent.kvm;

import io.godwit.vm.GuestLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Byte layout of {@code struct kvm_regs} and {@code struct kvm_sregs} (x86 asm/kvm.h), and their first values. */
final class KvmRegisters {
    /** Bytes of kvm_regs. */
    static final int REGS = 144;

    /** Bytes of kvm_sregs. */
    static final int SREGS = 312;

    /** Offset of r12, the count of pages written. */
    static final long R12 = 12 * 8;

    private static final long RBX = 1 * 8;
    private static final long RDX = 3 * 8;
    private static final long RSI = 4 * 8;
    private static final long RDI = 5 * 8;
    private static final long RIP = 16 * 8;
    private static final long RFLAGS = 17 * 8;

    private static final int SEGMENT = 24;
    private static final long CR0 = 224;
    private static final long CR3 = 240;
    private static final long CR4 = 248;
    private static final long EFER = 264;

    private KvmRegisters() {}

    /** General registers of a vCPU before its first instruction. */
    static void first(MemorySegment regs, GuestLayout.Range slice) {
        regs.fill((byte) 0);
        put(regs, RBX, GuestProgram.DOORBELL);
        put(regs, RSI, slice.gpa());
        put(regs, RDX, slice.gpa() + slice.bytes());
        put(regs, RDI, slice.gpa());
        put(regs, RIP, GuestProgram.ENTRY);
        put(regs, RFLAGS, 2); // the bit that is always one; interrupts off
    }

    /** Turns the system registers of a vCPU after reset into 64-bit user mode over the guest's page tables. */
    static void enterLongMode(MemorySegment sregs) {
        segment(sregs, 0, 0x23, 11, true); // cs: code, readable, accessed
        for (int data = 1; data <= 5; data++) {
            segment(sregs, data, 0x1b, 3, false); // ds, es, fs, gs, ss: data, writable, accessed
        }
        put(sregs, CR0, 0x80050031L); // PG AM WP NE ET PE
        put(sregs, CR3, GuestProgram.ROOT);
        put(sregs, CR4, 0x620); // PAE OSFXSR OSXMMEXCPT
        put(sregs, EFER, 0xd01); // SCE LME LMA NXE
    }

    private static void segment(MemorySegment sregs, int index, int selector, int type, boolean code) {
        MemorySegment s = sregs.asSlice((long) index * SEGMENT, SEGMENT).fill((byte) 0);
        s.set(ValueLayout.JAVA_INT_UNALIGNED, 8, -1); // limit
        s.set(ValueLayout.JAVA_SHORT_UNALIGNED, 12, (short) selector);
        s.set(ValueLayout.JAVA_BYTE, 14, (byte) type);
        s.set(ValueLayout.JAVA_BYTE, 15, (byte) 1); // present
        s.set(ValueLayout.JAVA_BYTE, 16, (byte) 3); // dpl
        s.set(ValueLayout.JAVA_BYTE, 17, (byte) (code ? 0 : 1)); // db
        s.set(ValueLayout.JAVA_BYTE, 18, (byte) 1); // s: code or data
        s.set(ValueLayout.JAVA_BYTE, 19, (byte) (code ? 1 : 0)); // l: 64-bit
        s.set(ValueLayout.JAVA_BYTE, 20, (byte) 1); // g: limit in pages
    }

    private static void put(MemorySegment into, long offset, long value) {
        into.set(ValueLayout.JAVA_LONG, offset, value);
    }
}
