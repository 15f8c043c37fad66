package io.godwit.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;

/** Reads what the coordinators log from now on: faster than any question that they could be asked. */
final class LogWatch {
    private final Map<String, Path> logs;
    private final Map<String, Long> read = new TreeMap<>();

    /**
     * Begins at the logs' present ends.
     *
     * @param logs of each coordinator, by its name
     */
    LogWatch(Map<String, Path> logs) throws IOException {
        this.logs = Map.copyOf(logs);
        for (Map.Entry<String, Path> log : logs.entrySet()) {
            read.put(log.getKey(), Files.size(log.getValue()));
        }
    }

    /** Which coordinator logged it, and of which migration. */
    record Seen(String coordinator, String migration) {}

    /** Waits until a coordinator says that {@code point} is reached; empty when none does for {@code limitMs}. */
    Optional<Seen> await(KillPoint point, long limitMs) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        while (System.nanoTime() < deadline) {
            for (Map.Entry<String, Path> log : logs.entrySet()) {
                Matcher line = point.line().matcher(news(log.getKey(), log.getValue()));
                if (line.find()) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(point.afterMs()));
                    return Optional.of(new Seen(log.getKey(), line.group(1)));
                }
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return Optional.empty();
    }

    private String news(String name, Path log) throws IOException {
        long from = read.getOrDefault(name, 0L);
        long size = Files.size(log);
        if (size <= from) {
            return "";
        }
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            byte[] bytes = new byte[(int) Math.min(size - from, 1 << 20)];
            file.seek(from);
            file.readFully(bytes);
            read.put(name, from + bytes.length);
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
