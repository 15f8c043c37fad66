package io.godwit.agent.kvm;

import io.godwit.agent.guest.Posix;
import io.godwit.vm.GuestException;
import java.lang.foreign.MemorySegment;

/** One KVM file descriptor (system, VM or vCPU) and what it is called in errors. Used by one thread at a time. */
final class KvmFile implements AutoCloseable {
    private final Posix posix = new Posix();
    private final String name;
    private int fd;

    KvmFile(String name, int fd) {
        this.name = name;
        this.fd = fd;
    }

    static KvmFile openSystem() throws GuestException {
        int fd = new Posix().open("/dev/kvm", Posix.O_RDWR_CLOEXEC);
        if (fd < 0) {
            throw new GuestException("open of /dev/kvm: " + Posix.describe(fd));
        }
        return new KvmFile("/dev/kvm", fd);
    }

    /** An ioctl with a number; its result. */
    int call(KvmCall call, long argument) throws GuestException {
        return checked(call, argument, posix.ioctl(fd, call.request(), argument));
    }

    /** An ioctl with a structure; its result. */
    int call(KvmCall call, MemorySegment argument) throws GuestException {
        return checked(call, argument.address(), posix.ioctl(fd, call.request(), argument));
    }

    /** KVM_RUN: 0 after an exit, or {@code -EINTR}, which is no failure. */
    int enter() throws GuestException {
        int result = posix.ioctl(fd, KvmCall.KVM_RUN.request(), 0L);
        return result == -Posix.EINTR ? result : checked(KvmCall.KVM_RUN, 0, result);
    }

    /** Maps its first {@code bytes} shared; the address. */
    long map(long bytes) throws GuestException {
        long address = posix.mmap(bytes, Posix.PROT_RW, Posix.MAP_SHARED, fd);
        if (address < 0 && address > -4096) {
            throw new GuestException("mmap of " + bytes + " bytes of " + name + ": " + Posix.describe(address));
        }
        return address;
    }

    @Override
    public void close() {
        if (fd >= 0) {
            posix.close(fd);
            fd = -1;
        }
    }

    private int checked(KvmCall call, long argument, int result) throws GuestException {
        if (result < 0) {
            throw new GuestException(call + " (argument 0x" + Long.toHexString(argument) + ") on " + name + ": "
                    + Posix.describe(result));
        }
        return result;
    }
}
