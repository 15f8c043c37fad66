package io.godwit.launch;

import io.godwit.cli.CliFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A data folder as this process has it, alone: a lock on a file in it, which the kernel takes back when the process ends,
 * however it ends. The file itself stays and holds the id of the process that locked it last.
 */
final class DataFolder implements AutoCloseable {
    private static final String LOCK_FILE = "lock";
    private static final int PID_LENGTH_MAX = 20;

    /** Only this byte is locked, so that whoever finds the folder in use can read the id before it. */
    private static final long LOCKED_BYTE = 1024;

    private final FileChannel channel;

    private DataFolder(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Locks {@code folder}, making it when missing. Until {@link #close()}, every other attempt fails at once.
     *
     * @throws CliFailure when another process has it, naming both, or when it cannot be used
     */
    static DataFolder lock(Path folder) {
        try {
            Files.createDirectories(folder);
            FileChannel channel = FileChannel.open(
                    folder.resolve(LOCK_FILE),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            if (!locked(channel)) {
                String owner = read(channel);
                channel.close();
                throw CliFailure.failed("data folder " + folder + " is in use by process " + owner
                        + "; expected one that no running coordinator or host agent uses (--data)");
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            return new DataFolder(channel);
        } catch (IOException e) {
            throw CliFailure.failed(
                    "data folder " + folder + " cannot be used: " + e.getClass().getSimpleName() + ": " + e.getMessage()
                            + "; expected a folder to write to (--data)");
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // by this very process
        }
    }

    private static String read(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(PID_LENGTH_MAX);
        channel.read(bytes, 0);
        String pid = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).strip();
        return pid.isEmpty() ? "(unknown)" : pid;
    }

    /** Lets it go. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // the lock goes with the process at the latest
        }
    }
}
