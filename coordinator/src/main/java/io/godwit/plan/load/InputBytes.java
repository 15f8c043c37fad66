package io.godwit.plan.load;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** The bytes of a file, plain or gzip, told apart by its first two bytes. */
final class InputBytes {
    /** No fleet of 100,000 VMs comes near it; what does is not a fleet, or is meant to fill the memory. */
    private static final int MOST_BYTES = 512 << 20;

    private InputBytes() {}

    static byte[] read(Path file) {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file))) {
            raw.mark(2);
            boolean zipped = raw.read() == 0x1f && raw.read() == 0x8b;
            raw.reset();
            try (InputStream in = zipped ? new GZIPInputStream(raw) : raw) {
                byte[] bytes = in.readNBytes(MOST_BYTES + 1);
                if (bytes.length > MOST_BYTES) {
                    throw new InputProblem(file + ": more than " + (MOST_BYTES >> 20) + " MiB; expected less");
                }
                return bytes;
            }
        } catch (NoSuchFileException e) {
            throw new InputProblem(file + ": no such file");
        } catch (IOException e) {
            throw new InputProblem(file + ": cannot be read: " + e.getMessage());
        }
    }
}
