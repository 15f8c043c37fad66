package io.godwit.agent.kvm;

import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A KVM virtual machine with one memory slot, guest physical address 0 upwards, and that slot's dirty log. */
final class KvmVm implements AutoCloseable {
    private static final int LOG_DIRTY_PAGES = 1;
    private static final int CPUID_ENTRIES = 256;
    private static final int CPUID_ENTRY = 40;

    private final String name;
    private final GuestMemory memory;
    private final KvmFile file;
    private final long runBytes;
    // sound: all of it is freed by the collector and reachable as long as this is
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment region = arena.allocate(32, 8);
    private final MemorySegment fetch = arena.allocate(16, 8);
    private final MemorySegment cpuid = arena.allocate(8 + CPUID_ENTRIES * CPUID_ENTRY, 8);
    private final MemorySegment bits;
    private boolean logging;

    private KvmVm(String name, GuestMemory memory, KvmFile file, long runBytes) {
        this.name = name;
        this.memory = memory;
        this.file = file;
        this.runBytes = runBytes;
        this.bits = arena.allocate(memory.pages() / 8, 8); // RAM is whole 2 MiB: whole words
        fetch.set(ValueLayout.JAVA_LONG, 8, bits.address());
    }

    /** Makes a VM over that RAM; the RAM must stay mapped until it is closed. */
    static KvmVm create(String name, GuestMemory memory) throws GuestException {
        try (KvmFile system = KvmFile.openSystem()) {
            int runBytes = system.call(KvmCall.KVM_GET_VCPU_MMAP_SIZE, 0);
            KvmVm vm =
                    new KvmVm(name, memory, new KvmFile("VM " + name, system.call(KvmCall.KVM_CREATE_VM, 0)), runBytes);
            try {
                vm.cpuid.set(ValueLayout.JAVA_INT, 0, CPUID_ENTRIES);
                system.call(KvmCall.KVM_GET_SUPPORTED_CPUID, vm.cpuid);
                vm.map(0);
            } catch (GuestException e) {
                vm.close();
                throw e;
            }
            return vm;
        }
    }

    /** A vCPU's file; it is told that it is what the host's KVM supports. */
    KvmFile createVcpu(int index) throws GuestException {
        KvmFile vcpu = new KvmFile("VM " + name + ", vCPU " + index, file.call(KvmCall.KVM_CREATE_VCPU, index));
        try {
            vcpu.call(KvmCall.KVM_SET_CPUID2, cpuid);
        } catch (GuestException e) {
            vcpu.close();
            throw e;
        }
        return vcpu;
    }

    /** Bytes of a vCPU's kvm_run. */
    long runBytes() {
        return runBytes;
    }

    void startLog() throws GuestException {
        if (logging) {
            file.call(KvmCall.KVM_GET_DIRTY_LOG, fetch); // what was written before is not reported
        } else {
            map(LOG_DIRTY_PAGES); // the kernel begins with an empty bitmap
            logging = true;
        }
    }

    void stopLog() throws GuestException {
        if (logging) {
            map(0);
            logging = false;
        }
    }

    /**
     * Fetches and clears the log; allocates nothing. KVM counts a page as dirty when it maps it writable, so the code page
     * may be reported once though nobody wrote it: copied in vain, never missed.
     */
    long collect(DirtyBitmap into) throws GuestException {
        if (!logging) {
            throw new GuestException(
                    "VM " + name + ": cannot collect dirty pages: the dirty log is off; start it first");
        }
        file.call(KvmCall.KVM_GET_DIRTY_LOG, fetch);
        return into.orWords(bits);
    }

    @Override
    public void close() {
        file.close();
    }

    /** KVM_SET_USER_MEMORY_REGION of slot 0; on the same memory it only changes the flags. */
    private void map(int flags) throws GuestException {
        region.set(ValueLayout.JAVA_INT, 0, 0); // slot
        region.set(ValueLayout.JAVA_INT, 4, flags);
        region.set(ValueLayout.JAVA_LONG, 8, 0); // guest physical address
        region.set(ValueLayout.JAVA_LONG, 16, memory.bytes());
        region.set(ValueLayout.JAVA_LONG, 24, memory.segment().address());
        file.call(KvmCall.KVM_SET_USER_MEMORY_REGION, region);
    }
}
