package io.godwit.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** The temporary folder of a benchmark's processes. It stays when the benchmark fails: the logs are in it. */
final class BenchFolder {
    private BenchFolder() {}

    static Path make() throws IOException {
        return Files.createTempDirectory("godwit-bench-");
    }

    /** For a benchmark that has its figures. */
    static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("left behind: " + folder + ": " + e);
        }
    }
}
