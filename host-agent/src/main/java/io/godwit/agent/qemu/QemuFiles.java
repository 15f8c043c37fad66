package io.godwit.agent.qemu;

import io.godwit.vm.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** The files of one QEMU guest in its host's data folder; they outlive the agent, as the guest does. */
record QemuFiles(Path folder) {
    /** sockaddr_un.sun_path has 108 bytes, the last of them zero. */
    private static final int SOCKET_PATH_MAX = 107;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    /**
     * The files of {@code vm} below {@code root}; nothing is created.
     *
     * @throws GuestException when the name makes no file name, or the sockets' paths get too long for a Unix socket
     */
    static QemuFiles of(Path root, String vm) throws GuestException {
        if (!NAME.matcher(vm).matches()) {
            throw new GuestException(
                    "VM name '" + vm + "' of a QEMU guest; expected letters, digits, '.', '_' and '-'");
        }
        QemuFiles files = new QemuFiles(root.toAbsolutePath().resolve(vm));
        int bytes = files.qmp().toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SOCKET_PATH_MAX) {
            throw new GuestException("path of the QMP socket " + files.qmp() + " has " + bytes
                    + " bytes; expected at most " + SOCKET_PATH_MAX + ": choose a shorter data folder");
        }
        return files;
    }

    /** Socket of the monitor that ordinary commands go to. */
    Path qmp() {
        return folder.resolve("qmp");
    }

    /** Socket of the monitor that only out-of-band commands go to. */
    Path oob() {
        return folder.resolve("oob");
    }

    /** Where a copy that arrives over a Unix socket listens. */
    Path incoming() {
        return folder.resolve("incoming");
    }

    Path serial() {
        return folder.resolve("serial.log");
    }

    Path stderr() {
        return folder.resolve("stderr.log");
    }

    Path pid() {
        return folder.resolve("pid");
    }

    Path manifest() {
        return folder.resolve("manifest.json");
    }

    /** Image that a guest with a workload of ours boots from. */
    Path image() {
        return folder.resolve("workload.img");
    }

    /** Pages of the guest, while they are checked. */
    Path dump() {
        return folder.resolve("check.dump");
    }

    /** What QEMU wrote to {@link #pid()}; empty when it has not, or not yet. */
    OptionalLong readPid() throws IOException {
        if (!Files.exists(pid())) {
            return OptionalLong.empty();
        }
        String text = Files.readString(pid()).strip();
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            throw new IOException("pid file " + pid() + " holds '" + text + "'; expected a number", e);
        }
    }

    /** The last of what QEMU said on stderr, in one line; why it could not be read when it could not. */
    String lastWords(int bytesMax) {
        try (RandomAccessFile file = new RandomAccessFile(stderr().toFile(), "r")) {
            byte[] end = new byte[(int) Math.min(bytesMax, file.length())];
            file.seek(file.length() - end.length);
            file.readFully(end);
            return new String(end, StandardCharsets.UTF_8).strip().replace("\n", "; ");
        } catch (IOException e) {
            return "its stderr cannot be read: " + e.getMessage();
        }
    }
}
