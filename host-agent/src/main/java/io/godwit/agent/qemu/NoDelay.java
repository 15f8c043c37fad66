package io.godwit.agent.qemu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Has the TCP connections of another process send what they have at once (TCP_NODELAY). QEMU sets that for multifd's streams only:
 * the end of a migration that goes over one stream, device state of a few KiB, waits in Nagle's algorithm for the destination to
 * acknowledge what came before, and the destination puts that off for 40 ms (TCP_DELACK_MIN of linux/net/tcp.h), for which the VM
 * stands still. Seen in 10 to 40 of 100 migrations of QEMU 7.2.
 *
 * <p>By pidfd_getfd(2), Linux 5.6, which needs what ptrace(2) needs: the same user, and where Yama restricts it a child of this
 * process, or CAP_SYS_PTRACE.
 */
@SuppressWarnings("restricted") // native access is what this class is for; the launcher enables it by name
final class NoDelay {
    /** Of asm-generic/unistd.h; the same on every architecture. */
    private static final long PIDFD_OPEN = 434;

    private static final long PIDFD_GETFD = 438;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_NODELAY = 1;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle SYSCALL = call(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));
    private static final MethodHandle SETSOCKOPT =
            call("setsockopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle CLOSE = call("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private NoDelay() {}

    private static MethodHandle call(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }

    /**
     * Sets it for every TCP connection that {@code pid} has now.
     *
     * @return for how many; 0 when this process may not, or {@code pid} has none
     * @throws IOException when the process is gone or belongs to another user, or the kernel has no such call
     */
    static int set(long pid) throws IOException {
        long process = syscall(PIDFD_OPEN, pid, 0, 0);
        if (process < 0) {
            throw new IOException("pidfd_open of process " + pid + " failed");
        }
        int connections = 0;
        try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path one : open) {
                connections += isSocket(one) && set(process, fd(one)) ? 1 : 0;
            }
        } catch (DirectoryIteratorException e) {
            // it has ended meanwhile
            throw e.getCause();
        } finally {
            close(process);
        }
        return connections;
    }

    private static int fd(Path one) {
        return Integer.parseInt(one.getFileName().toString());
    }

    private static boolean isSocket(Path fd) {
        try {
            return Files.readSymbolicLink(fd).toString().startsWith("socket:");
        } catch (IOException e) {
            // closed meanwhile
            return false;
        }
    }

    /** Not kept open: a connection would outlive its process. */
    private static boolean set(long process, int fd) {
        long ours = syscall(PIDFD_GETFD, process, fd, 0);
        if (ours < 0) {
            return false;
        }
        // it waits for the socket's lock, which QEMU holds while it sends
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment on = arena.allocateFrom(JAVA_INT, 1);
            return (int) SETSOCKOPT.invokeExact((int) ours, IPPROTO_TCP, TCP_NODELAY, on, (int) on.byteSize()) == 0;
        } catch (Throwable e) {
            throw impossible(e);
        } finally {
            close(ours);
        }
    }

    private static long syscall(long number, long first, long second, long third) {
        try {
            return (long) SYSCALL.invokeExact(number, first, second, third);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    private static void close(long fd) {
        try {
            var _ = (int) CLOSE.invokeExact((int) fd);
        } catch (Throwable e) {
            throw impossible(e);
        }
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
