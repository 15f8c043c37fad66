package io.godwit.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what the coordinators log from now on: faster than any question that they could be asked. */
final class LogWatch {
    private static final Pattern MIGRATION =
            Pattern.compile("migration (\\S+?):? ([A-Z_]+)(?: of vm (\\S+), \\S+ to (\\S+)|: )");
    private static final Pattern CARRIED = Pattern.compile("evacuation (\\S+): carried on here");

    private final Map<String, Path> logs;
    private final Map<String, Long> read = new TreeMap<>();
    private final Map<String, Seen> migrations = new HashMap<>();
    private final Map<String, String> migrationOf = new HashMap<>();
    private final Map<String, String> destinations = new HashMap<>();
    private final Map<String, String> holders = new HashMap<>();

    /**
     * Begins at the logs' present ends.
     *
     * @param logs of each coordinator, by its name
     */
    LogWatch(Map<String, Path> logs) throws IOException {
        this.logs = new TreeMap<>(logs);
        for (Map.Entry<String, Path> log : logs.entrySet()) {
            read.put(log.getKey(), Files.size(log.getValue()));
        }
    }

    /** Which coordinator logged it, of which migration, and in which phase that is. */
    record Seen(String coordinator, String migration, String phase) {}

    /** Waits until a coordinator says that {@code phase} is reached; empty when none does for {@code limitMs}. */
    Optional<Seen> await(String phase, long limitMs) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        Optional<Seen> seen = catchUp(phase);
        while (seen.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            seen = catchUp(phase);
        }
        return seen;
    }

    /** Reads to the present ends. */
    void catchUp() throws IOException {
        var _ = catchUp("");
    }

    /** What is known of the VM's migration, the newest if there are several. */
    Optional<Seen> migrationOf(String vm) {
        return Optional.ofNullable(migrationOf.get(vm)).flatMap(this::migration);
    }

    /** What is known of a migration. */
    Optional<Seen> migration(String id) {
        return Optional.ofNullable(migrations.get(id));
    }

    /** Where a migration leads. */
    Optional<String> destination(String id) {
        return Optional.ofNullable(destinations.get(id));
    }

    /** Whether any migration has been asked for. */
    boolean migrates() {
        return !migrations.isEmpty();
    }

    /** Name of the coordinator that carries the evacuation on. */
    Optional<String> holder(String evacuation) {
        return Optional.ofNullable(holders.get(evacuation));
    }

    private Optional<Seen> catchUp(String phase) throws IOException {
        Optional<Seen> first = Optional.empty();
        for (Map.Entry<String, Path> log : logs.entrySet()) {
            String news = news(log.getKey(), log.getValue());
            Matcher carried = CARRIED.matcher(news);
            while (carried.find()) {
                holders.put(carried.group(1), log.getKey());
            }
            Matcher line = MIGRATION.matcher(news);
            while (line.find()) {
                Seen seen = new Seen(log.getKey(), line.group(1), line.group(2));
                migrations.put(seen.migration(), seen);
                if (line.group(3) != null) {
                    migrationOf.put(line.group(3), seen.migration());
                    destinations.put(seen.migration(), line.group(4));
                }
                first = first.or(() -> Optional.of(seen).filter(it -> it.phase().equals(phase)));
            }
        }
        return first;
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
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            // the rest of a line that is being written comes with the next look
            int whole = text.lastIndexOf('\n') + 1;
            read.put(name, from + whole);
            return text.substring(0, whole);
        }
    }
}
