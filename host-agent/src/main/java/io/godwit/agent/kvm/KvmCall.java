package io.godwit.agent.kvm;

/** The KVM ioctls used, with their request codes as linux/kvm.h makes them; names as there, so that errors can be looked up. */
enum KvmCall {
    /** On /dev/kvm: 12 everywhere since 2007. */
    KVM_GET_API_VERSION(none(0x00)),
    /** On /dev/kvm: makes a VM. */
    KVM_CREATE_VM(none(0x01)),
    /** On /dev/kvm: whether a capability is there. */
    KVM_CHECK_EXTENSION(none(0x03)),
    /** On /dev/kvm: bytes of the shared kvm_run. */
    KVM_GET_VCPU_MMAP_SIZE(none(0x04)),
    /** On /dev/kvm: what a vCPU may be told it is. */
    KVM_GET_SUPPORTED_CPUID(readWrite(0x05, 8)),
    /** On the VM: makes a vCPU. */
    KVM_CREATE_VCPU(none(0x41)),
    /** On the VM: fetches and clears a slot's dirty bitmap. */
    KVM_GET_DIRTY_LOG(write(0x42, 16)),
    /** On the VM: maps host memory as guest memory, with or without a dirty log. */
    KVM_SET_USER_MEMORY_REGION(write(0x46, 32)),
    /** On the vCPU: runs it until it exits. */
    KVM_RUN(none(0x80)),
    /** General registers. */
    KVM_GET_REGS(read(0x81, 144)),
    /** General registers. */
    KVM_SET_REGS(write(0x82, 144)),
    /** Segments, tables and control registers. */
    KVM_GET_SREGS(read(0x83, 312)),
    /** Segments, tables and control registers. */
    KVM_SET_SREGS(write(0x84, 312)),
    /** Model specific registers, by a list of numbers. */
    KVM_GET_MSRS(readWrite(0x88, 8)),
    /** Model specific registers. */
    KVM_SET_MSRS(write(0x89, 8)),
    /** What the vCPU is told it is. */
    KVM_SET_CPUID2(write(0x90, 8)),
    /** Whether it runs or waits. */
    KVM_GET_MP_STATE(read(0x98, 4)),
    /** Whether it runs or waits. */
    KVM_SET_MP_STATE(write(0x99, 4)),
    /** Pending exceptions and interrupts. */
    KVM_GET_VCPU_EVENTS(read(0x9f, 64)),
    /** Pending exceptions and interrupts. */
    KVM_SET_VCPU_EVENTS(write(0xa0, 64)),
    /** Debug registers. */
    KVM_GET_DEBUGREGS(read(0xa1, 128)),
    /** Debug registers. */
    KVM_SET_DEBUGREGS(write(0xa2, 128)),
    /** FPU and vector registers. */
    KVM_GET_XSAVE(read(0xa4, 4096)),
    /** FPU and vector registers. */
    KVM_SET_XSAVE(write(0xa5, 4096)),
    /** Extended control registers. */
    KVM_GET_XCRS(read(0xa6, 392)),
    /** Extended control registers. */
    KVM_SET_XCRS(write(0xa7, 392));

    private static final long TYPE = 0xAE00;

    private final long request;

    KvmCall(long request) {
        this.request = request;
    }

    /** The ioctl's request code. */
    long request() {
        return request;
    }

    // _IO, _IOW, _IOR and _IOWR of asm-generic/ioctl.h
    private static long none(int nr) {
        return TYPE | nr;
    }

    private static long write(int nr, int bytes) {
        return (1L << 30) | ((long) bytes << 16) | TYPE | nr;
    }

    private static long read(int nr, int bytes) {
        return (2L << 30) | ((long) bytes << 16) | TYPE | nr;
    }

    private static long readWrite(int nr, int bytes) {
        return (3L << 30) | ((long) bytes << 16) | TYPE | nr;
    }
}
