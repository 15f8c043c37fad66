package io.godwit.agent.qemu.workload;

/**
 * The machine code of {@link BootSectorGuest}, as the firmware loads it to 0x7C00 and jumps to it in 16-bit mode. It maps the
 * first 2 GiB one to one with 2 MiB pages (tables at 0x1000 to 0x4FFF) and goes to 64-bit code at privilege level 3, with
 * port I/O allowed there: the one mode that a KVM without hardware virtualization runs natively too. Interrupts stay off.
 * The loop's state is in registers:
 *
 * <pre>
 * rsi  page to write next          rbx  end of the pages           r15  additions since the start
 * rbp  pages left in this burst    r12  ticks of a burst, or 0     r14  the timer when this burst began
 * r13  passes left until the next mark
 * </pre>
 */
final class BootSectorCode {
    /** Where the firmware puts the sector, and so where the code runs. */
    static final int LOAD_ADDRESS = 0x7C00;

    /** Offset in the sector of the end of the pages, guest physical, 32 bits; the other parameters follow it. */
    static final int END = 0x1E0;

    /** Offset of the pages of a burst, 32 bits. */
    static final int BURST_PAGES = 0x1E4;

    /** Offset of the least duration of a burst in ticks of the ACPI timer, 32 bits; 0 for no pauses. */
    static final int BURST_TICKS = 0x1E8;

    /** Offset of the passes between two marks, 32 bits. */
    static final int MARK_PASSES = 0x1EC;

    private static final int[] CODE = {
        // 16 bits: A20 on, page tables
        0xFA, //                                                 cli
        0x31,
        0xC0, //                                           xor ax, ax
        0x8E,
        0xD8, //                                           mov ds, ax
        0x8E,
        0xC0, //                                           mov es, ax
        0xE4,
        0x92, //                                           in al, 0x92
        0x0C,
        0x02, //                                           or al, 2
        0xE6,
        0x92, //                                           out 0x92, al         A20 on
        0x66,
        0xBF,
        0x00,
        0x10,
        0x00,
        0x00, //                   mov edi, 0x1000
        0x0F,
        0x22,
        0xDF, //                                     mov cr3, edi
        0xB9,
        0x00,
        0x10, //                                     mov cx, 0x1000
        0x66,
        0x31,
        0xC0, //                                     xor eax, eax
        0xFC, //                                                 cld
        0x66,
        0xF3,
        0xAB, //                                     rep stosd            0x1000 to 0x4FFF zeroed
        // present, writable, user, accessed; a leaf also dirty and 2 MiB. Preset, as page tables are RAM like any
        // other: the CPU must not change them
        0xC7,
        0x06,
        0x00,
        0x10,
        0x27,
        0x20, //                   mov word [0x1000], 0x2027
        0xC7,
        0x06,
        0x00,
        0x20,
        0x27,
        0x30, //                   mov word [0x2000], 0x3027
        0xC7,
        0x06,
        0x08,
        0x20,
        0x27,
        0x40, //                   mov word [0x2008], 0x4027
        0xBF,
        0x00,
        0x30, //                                     mov di, 0x3000
        0x66,
        0xB8,
        0xE7,
        0x00,
        0x00,
        0x00, //                   mov eax, 0xE7
        0x66,
        0x89,
        0x05, //                               leaf: mov [di], eax
        0x83,
        0xC7,
        0x08, //                                     add di, 8
        0x66,
        0x05,
        0x00,
        0x00,
        0x20,
        0x00, //                   add eax, 0x200000
        0x79,
        0xF2, //                                           jns leaf             until 2 GiB
        // to 64 bits
        0x66,
        0xB8,
        0x20,
        0x00,
        0x00,
        0x00, //                   mov eax, 0x20
        0x0F,
        0x22,
        0xE0, //                                     mov cr4, eax         PAE
        0x66,
        0xB9,
        0x80,
        0x00,
        0x00,
        0xC0, //                   mov ecx, 0xC0000080
        0x0F,
        0x32, //                                           rdmsr                EFER
        0x80,
        0xCC,
        0x01, //                                     or ah, 1             LME
        0x0F,
        0x30, //                                           wrmsr
        0x0F,
        0x20,
        0xC0, //                                     mov eax, cr0
        0x66,
        0x0D,
        0x01,
        0x00,
        0x00,
        0x80, //                   or eax, 0x80000001   paging, protection
        0x0F,
        0x22,
        0xC0, //                                     mov cr0, eax
        0x0F,
        0x01,
        0x16,
        0x68,
        0x7D, //                         lgdt [gdtr]
        0xEA,
        0x75,
        0x7C,
        0x08,
        0x00, //                         jmp 8:long
        // 64 bits: to privilege level 3
        0xB8,
        0x10,
        0x00,
        0x00,
        0x00, //                   long: mov eax, 0x10
        0x8E,
        0xD0, //                                           mov ss, eax
        0xBC,
        0x00,
        0x70,
        0x00,
        0x00, //                         mov esp, 0x7000
        0x6A,
        0x23, //                                           push 0x23            ss
        0x68,
        0x00,
        0x70,
        0x00,
        0x00, //                         push 0x7000          rsp
        0x68,
        0x02,
        0x30,
        0x00,
        0x00, //                         push 0x3002          rflags: IOPL 3, no interrupts
        0x6A,
        0x1B, //                                           push 0x1B            cs
        0x68,
        0x96,
        0x7C,
        0x00,
        0x00, //                         push user            rip
        0x48,
        0xCF, //                                           iretq
        // pages to their first state: counter 0, own address, zeros
        0x8B,
        0x1C,
        0x25,
        0xE0,
        0x7D,
        0x00,
        0x00, //       user: mov ebx, [END]
        0xBF,
        0x00,
        0x00,
        0x10,
        0x00, //                         mov edi, 0x100000
        0x31,
        0xC0, //                                           xor eax, eax
        0xB9,
        0x00,
        0x02,
        0x00,
        0x00, //                  clear: mov ecx, 512
        0x48,
        0x89,
        0xFE, //                                     mov rsi, rdi
        0xF3,
        0x48,
        0xAB, //                                     rep stosq
        0x48,
        0x89,
        0x76,
        0x08, //                               mov [rsi + 8], rsi
        0x39,
        0xDF, //                                           cmp edi, ebx
        0x72,
        0xED, //                                           jb clear
        0x44,
        0x8B,
        0x24,
        0x25,
        0xE8,
        0x7D,
        0x00,
        0x00, //       mov r12d, [BURST_TICKS]
        0x8B,
        0x2C,
        0x25,
        0xE4,
        0x7D,
        0x00,
        0x00, //             mov ebp, [BURST_PAGES]
        0x45,
        0x31,
        0xFF, //                                     xor r15d, r15d
        0xB9,
        0x47,
        0x00,
        0x00,
        0x00, //                         mov ecx, 'G'
        0xE8,
        0x59,
        0x00,
        0x00,
        0x00, //                         call print
        // for ever: a pass over all pages
        0x44,
        0x8B,
        0x2C,
        0x25,
        0xEC,
        0x7D,
        0x00,
        0x00, // marks: mov r13d, [MARK_PASSES]
        0xBE,
        0x00,
        0x00,
        0x10,
        0x00, //                   pass: mov esi, 0x100000
        0x48,
        0xFF,
        0x06, //                               page: inc qword [rsi]
        0x49,
        0xFF,
        0xC7, //                                     inc r15
        0x81,
        0xC6,
        0x00,
        0x10,
        0x00,
        0x00, //                   add esi, 4096
        0x45,
        0x85,
        0xE4, //                                     test r12d, r12d
        0x74,
        0x26, //                                           jz on
        0xFF,
        0xCD, //                                           dec ebp
        0x75,
        0x22, //                                           jnz on
        0xBA,
        0x08,
        0x06,
        0x00,
        0x00, //                         mov edx, 0x608       ACPI timer, 24 bits
        0xF3,
        0x90, //                                     wait: pause
        0xED, //                                                 in eax, dx
        0x89,
        0xC1, //                                           mov ecx, eax
        0x44,
        0x29,
        0xF1, //                                     sub ecx, r14d
        0x81,
        0xE1,
        0xFF,
        0xFF,
        0xFF,
        0x00, //                   and ecx, 0xFFFFFF
        0x44,
        0x39,
        0xE1, //                                     cmp ecx, r12d
        0x72,
        0xED, //                                           jb wait
        0x41,
        0x89,
        0xC6, //                                     mov r14d, eax
        0x8B,
        0x2C,
        0x25,
        0xE4,
        0x7D,
        0x00,
        0x00, //             mov ebp, [BURST_PAGES]
        0x39,
        0xDE, //                                       on: cmp esi, ebx
        0x72,
        0xC5, //                                           jb page
        0x41,
        0xFF,
        0xCD, //                                     dec r13d
        0x75,
        0xBB, //                                           jnz pass
        0xB9,
        0x2E,
        0x00,
        0x00,
        0x00, //                         mov ecx, '.'
        0xE8,
        0x02,
        0x00,
        0x00,
        0x00, //                         call print
        0xEB,
        0xA7, //                                           jmp marks
        // prints cl on COM1, or nothing while the last character is not out: nobody who does not read stops the guest
        0xBA,
        0xFD,
        0x03,
        0x00,
        0x00, //                  print: mov edx, 0x3FD
        0xEC, //                                                 in al, dx
        0xA8,
        0x20, //                                           test al, 0x20
        0x74,
        0x05, //                                           jz full
        0x89,
        0xC8, //                                           mov eax, ecx
        0xB2,
        0xF8, //                                           mov dl, 0xF8
        0xEE, //                                                 out dx, al
        0xC3, //                                           full: ret
    };

    private static final int GDT = 0x140;

    // null; code, level 0, 64 bits; data, level 0; code, level 3, 64 bits; data, level 3
    private static final long[] DESCRIPTORS = {
        0, 0x0020_9B00_0000_0000L, 0x0000_9300_0000_0000L, 0x0020_FB00_0000_0000L, 0x0000_F300_0000_0000L
    };

    private BootSectorCode() {}

    /** A sector with the code, its descriptor table and the boot mark, all parameters 0. */
    static byte[] sector() {
        byte[] sector = new byte[512];
        for (int i = 0; i < CODE.length; i++) {
            sector[i] = (byte) CODE[i];
        }
        for (int i = 0; i < DESCRIPTORS.length; i++) {
            put(sector, GDT + 8 * i, 8, DESCRIPTORS[i]);
        }
        int gdtr = GDT + 8 * DESCRIPTORS.length;
        put(sector, gdtr, 2, 8 * DESCRIPTORS.length - 1);
        put(sector, gdtr + 2, 4, LOAD_ADDRESS + GDT);
        put(sector, 510, 2, 0xAA55);
        return sector;
    }

    /** Writes a number of that many bytes, the lowest first. */
    static void put(byte[] sector, int offset, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            sector[offset + i] = (byte) (value >>> (8 * i));
        }
    }
}
