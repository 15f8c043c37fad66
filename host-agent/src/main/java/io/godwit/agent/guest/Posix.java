package io.godwit.agent.guest;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The few libc calls that guests need. Every call answers as a Linux system call does: a result of zero or
 * more, or the negated errno; nothing is thrown. An instance holds the errno of its last call and so belongs to one
 * thread at a time; making one is cheap.
 */
@SuppressWarnings("restricted") // native access is what this class is for; the launcher enables it by name
public final class Posix {
    /** {@code EINTR}: a signal, or immediate_exit of KVM_RUN. */
    public static final int EINTR = 4;

    /** {@code IPPROTO_TCP}. */
    public static final int IPPROTO_TCP = 6;

    /** {@code TCP_NODELAY} of {@link #IPPROTO_TCP}. */
    public static final int TCP_NODELAY = 1;

    /** {@code O_RDWR | O_CLOEXEC}. */
    public static final int O_RDWR_CLOEXEC = 0x80002;

    /** {@code PROT_READ | PROT_WRITE}. */
    public static final int PROT_RW = 3;

    /** {@code MAP_SHARED}. */
    public static final int MAP_SHARED = 1;

    /** {@code MAP_PRIVATE | MAP_ANONYMOUS}. */
    public static final int MAP_PRIVATE_ANONYMOUS = 0x22;

    /** {@code MADV_HUGEPAGE}: transparent huge pages where the host's policy is {@code madvise}. */
    public static final int MADV_HUGEPAGE = 14;

    /** {@code MADV_POPULATE_WRITE} (Linux 5.14): fault every page in, writable. */
    public static final int MADV_POPULATE_WRITE = 23;

    /** Of asm-generic/unistd.h; the same on every architecture. */
    private static final long SYS_PIDFD_OPEN = 434;

    private static final long SYS_PIDFD_GETFD = 438;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(PathElement.groupElement("errno"));
    private static final Linker.Option TWO_FIXED = Linker.Option.firstVariadicArg(2);

    private static final MethodHandle OPEN =
            call("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), TWO_FIXED);
    private static final MethodHandle CLOSE = call("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle IOCTL_VALUE =
            call("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG), TWO_FIXED);
    private static final MethodHandle IOCTL_POINTER =
            call("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), TWO_FIXED);
    private static final MethodHandle MMAP = call(
            "mmap", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP = call("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MADVISE =
            call("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle SETSOCKOPT =
            call("setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    // the C library of many a host has no functions for these calls
    private static final MethodHandle SYSCALL = call(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));
    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

    // sound: freed by the collector, and a call that uses it keeps it reachable
    private final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());

    private static MethodHandle call(String name, FunctionDescriptor descriptor, Linker.Option... more) {
        Linker.Option[] options = new Linker.Option[more.length + 1];
        options[0] = Linker.Option.captureCallState("errno");
        System.arraycopy(more, 0, options, 1, more.length);
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }

    /** open(2) of an existing file. */
    public int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, 0));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** close(2). */
    public int close(int fd) {
        try {
            return result((int) CLOSE.invokeExact(state, fd));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** ioctl(2) whose argument is a number. */
    public int ioctl(int fd, long request, long argument) {
        try {
            return result((int) IOCTL_VALUE.invokeExact(state, fd, request, argument));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** ioctl(2) whose argument points to a structure as large as the request code says. */
    public int ioctl(int fd, long request, MemorySegment argument) {
        try {
            return result((int) IOCTL_POINTER.invokeExact(state, fd, request, argument));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** mmap(2) at an address the kernel picks, offset 0; the address, or the negated errno. */
    public long mmap(long bytes, int protection, int flags, int fd) {
        try {
            long address = (long) MMAP.invokeExact(state, 0L, bytes, protection, flags, fd, 0L);
            return address == -1 ? -errno() : address;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** munmap(2). */
    public int munmap(long address, long bytes) {
        try {
            return result((int) MUNMAP.invokeExact(state, address, bytes));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** madvise(2). */
    public int madvise(long address, long bytes, int advice) {
        try {
            return result((int) MADVISE.invokeExact(state, address, bytes, advice));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** setsockopt(2) of an option that is a number. */
    public int setsockopt(int fd, int level, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment given = arena.allocateFrom(JAVA_INT, value);
            return result((int) SETSOCKOPT.invokeExact(state, fd, level, option, given, (int) given.byteSize()));
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** pidfd_open(2), Linux 5.3: a descriptor of that process. */
    public int pidfdOpen(long pid) {
        return syscall(SYS_PIDFD_OPEN, pid, 0);
    }

    /** pidfd_getfd(2), Linux 5.6: what {@code fd} is in the process of {@code pidfd}, as a descriptor of ours. */
    public int pidfdGetfd(int pidfd, int fd) {
        return syscall(SYS_PIDFD_GETFD, pidfd, fd);
    }

    private int syscall(long number, long first, long second) {
        try {
            long value = (long) SYSCALL.invokeExact(state, number, first, second, 0L);
            return value == -1 ? -errno() : (int) value;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** The system's text for a negated errno, with its number. */
    public static String describe(long negatedErrno) {
        int errno = (int) -negatedErrno;
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            // sound: strerror answers a NUL-terminated static string
            return text.reinterpret(256).getString(0) + " (errno " + errno + ")";
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    private int result(int value) {
        return value == -1 ? -errno() : value;
    }

    private int errno() {
        return (int) ERRNO.get(state, 0L);
    }

    /** A downcall throws nothing of its own: what comes is a bug or an error of the VM. */
    private static RuntimeException impossible(Throwable e) {
        switch (e) {
            case RuntimeException bug -> throw bug;
            case Error error -> throw error;
            default -> throw new IllegalStateException("a native call threw", e);
        }
    }
}
