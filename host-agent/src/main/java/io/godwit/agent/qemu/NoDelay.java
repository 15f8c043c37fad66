package io.godwit.agent.qemu;

import io.godwit.agent.guest.Posix;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Has the TCP sockets of another process send what they have at once (TCP_NODELAY). QEMU sets that for multifd's streams only:
 * the end of a migration that goes over one stream, device state of a few KiB, waits in Nagle's algorithm for the destination to
 * acknowledge what came before, and the destination puts that off for 40 ms (TCP_DELACK_MIN of linux/net/tcp.h), for which the VM
 * stands still. Over loopback QEMU 7.2 was seen to stand so in 7 of 100 migrations of a 1 GiB guest, in 24 of 100 of small ones.
 *
 * <p>By pidfd_getfd(2), Linux 5.6, which needs what ptrace(2) needs: the same user, and where Yama restricts it a child of this
 * process, or CAP_SYS_PTRACE.
 */
final class NoDelay {
    private NoDelay() {}

    /**
     * Sets it for every TCP socket that {@code pid} has now. May wait for a socket that is just being written to.
     *
     * @return for how many; 0 when this process may not, or {@code pid} has none
     * @throws IOException when the process is gone or belongs to another user, or the kernel has no such call
     */
    static int set(long pid) throws IOException {
        Posix posix = new Posix();
        int process = posix.pidfdOpen(pid);
        if (process < 0) {
            throw new IOException("pidfd_open of process " + pid + ": " + Posix.describe(process));
        }
        int sockets = 0;
        try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path one : open) {
                sockets += isSocket(one) && set(posix, process, fd(one)) ? 1 : 0;
            }
        } catch (DirectoryIteratorException e) {
            // it has ended meanwhile
            throw e.getCause();
        } finally {
            posix.close(process);
        }
        return sockets;
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
    private static boolean set(Posix posix, int process, int fd) {
        int ours = posix.pidfdGetfd(process, fd);
        if (ours < 0) {
            return false;
        }
        try {
            return posix.setsockopt(ours, Posix.IPPROTO_TCP, Posix.TCP_NODELAY, 1) == 0;
        } finally {
            posix.close(ours);
        }
    }
}
