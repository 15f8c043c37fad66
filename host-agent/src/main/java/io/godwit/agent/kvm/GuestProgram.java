package io.godwit.agent.kvm;

import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The program a KVM guest runs, and its page tables, laid into the first 2 MiB of its RAM. 64-bit code at privilege level
 * 3: that is what every KVM backend runs natively. All loop state is in registers, so that a saved vCPU carries it:
 *
 * <pre>
 * rbx  the doorbell, a page without memory behind it     rsi  first page of the slice
 * rcx  pages left in this batch                          rdx  end of the slice
 * rdi  page to write next                                r12  pages written since the guest was made
 * </pre>
 *
 * Reading the doorbell exits to the host, whose answer is the size of the next batch: so the host paces the guest, and
 * between two batches may stop it, at no cost to the loop.
 */
final class GuestProgram {
    /** Where the code begins, guest virtual and physical. */
    static final long ENTRY = 0x5000;

    /** Where the top-level page table lies: CR3. */
    static final long ROOT = 0x1000;

    /** The doorbell's virtual address: 512 GiB, above any RAM the tables can map. */
    static final long DOORBELL = 1L << 39;

    /** Most RAM that the page tables in the first 2 MiB can map, in bytes. */
    static final long RAM_MAX = ((GuestLayout.SYSTEM_BYTES - 0x8000) / 0x1000) << 30;

    private static final long RAM_TABLE = 0x2000;
    private static final long DOORBELL_TABLE = 0x3000;
    private static final long DOORBELL_DIRECTORY = 0x4000;
    private static final long RAM_DIRECTORIES = 0x8000;

    // present, writable, user, accessed; and for a leaf: dirty, 2 MiB. Accessed and dirty are preset, because page
    // tables
    // are RAM like any other: nothing must change them behind the dirty log
    private static final long TABLE = 0x27;
    private static final long LEAF = 0xE7;

    private static final int[] CODE = {
        0x48, 0x8B, 0x0B, //                               bell: mov rcx, [rbx]     exits; rcx = the host's answer
        0x48, 0x85, 0xC9, //                               next: test rcx, rcx
        0x74, 0xF8, //                                           jz bell
        0x48, 0xFF, 0x07, //                                     inc qword [rdi]
        0x49, 0xFF, 0xC4, //                                     inc r12
        0x48, 0x81, 0xC7, 0x00, 0x10, 0x00, 0x00, //             add rdi, 4096
        0x48, 0x39, 0xD7, //                                     cmp rdi, rdx
        0x48, 0x0F, 0x43, 0xFE, //                               cmovae rdi, rsi    wraps
        0x48, 0xFF, 0xC9, //                                     dec rcx
        0xEB, 0xE2, //                                           jmp next
    };

    private GuestProgram() {}

    /** Guest physical address of the doorbell: the first that has no RAM behind it. */
    static long doorbellGpa(GuestMemory memory) {
        return memory.bytes();
    }

    /** Lays program and page tables into RAM of at most {@link #RAM_MAX} bytes. */
    static void install(GuestMemory memory) {
        MemorySegment ram = memory.segment();
        long gibs = (memory.bytes() + (1L << 30) - 1) >>> 30;
        ram.asSlice(ROOT, RAM_DIRECTORIES + gibs * GuestMemory.PAGE_SIZE - ROOT).fill((byte) 0);
        put(ram, ROOT, RAM_TABLE | TABLE);
        put(ram, ROOT + 8, DOORBELL_TABLE | TABLE);
        put(ram, DOORBELL_TABLE, DOORBELL_DIRECTORY | TABLE);
        put(ram, DOORBELL_DIRECTORY, doorbellGpa(memory) | LEAF);
        for (long gib = 0; gib < gibs; gib++) {
            put(ram, RAM_TABLE + gib * 8, (RAM_DIRECTORIES + gib * GuestMemory.PAGE_SIZE) | TABLE);
        }
        for (long unit = 0; unit < memory.bytes() / GuestLayout.RAM_UNIT; unit++) {
            put(ram, RAM_DIRECTORIES + unit * 8, (unit * GuestLayout.RAM_UNIT) | LEAF);
        }
        for (int i = 0; i < CODE.length; i++) {
            ram.set(ValueLayout.JAVA_BYTE, ENTRY + i, (byte) CODE[i]);
        }
    }

    private static void put(MemorySegment ram, long gpa, long value) {
        ram.set(ValueLayout.JAVA_LONG, gpa, value);
    }
}
