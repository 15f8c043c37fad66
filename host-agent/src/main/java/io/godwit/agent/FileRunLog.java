package io.godwit.agent;

import io.godwit.proto.MonotonicClock;
import io.godwit.vm.RunLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Appends {@code <monotonic ns> <vm> RUN|STOP <epoch>} to a file, a line a write, so that what was recorded survives the
 * process. The monotonic clock is one for all processes of a machine: lines of several hosts on it can be compared.
 */
final class FileRunLog implements RunLog, AutoCloseable {
    private final FileChannel file;
    private final MonotonicClock clock;

    FileRunLog(Path path, MonotonicClock clock) throws IOException {
        this.file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
        this.clock = clock;
    }

    @Override
    public void running(String vm, long epoch) {
        append(vm + " RUN " + epoch);
    }

    @Override
    public void stopped(String vm, long epoch) {
        append(vm + " STOP " + epoch);
    }

    @Override
    public void stoppedAt(String vm, long epoch, long nanos) {
        append(nanos, vm + " STOP " + epoch);
    }

    private void append(String line) {
        append(clock.nanoTime(), line);
    }

    private void append(long nanos, String line) {
        ByteBuffer bytes = ByteBuffer.wrap((nanos + " " + line + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            // one append per line: lines of several threads never mix
            file.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("run log: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
