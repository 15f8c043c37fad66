package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/** What {@link BitmapBench} has measured and what follows from it. */
record BitmapBenchResult(List<Row> rows) {
    /** Bytes an operation may allocate over 16 Mi pages: whatever a report is made of, nothing per page. */
    static final double ALLOCATED_BYTES_MAX = 1024;

    /** What each operation of {@link BitmapBenchmarks} is, in the order of the table. */
    static final SequencedMap<String, String> OPERATIONS = new LinkedHashMap<>();

    static {
        OPERATIONS.put("collectLog", "sync, KVM's log");
        OPERATIONS.put("drain", "sync, soft guest's log");
        OPERATIONS.put("syncPinned", "sync, container, 256 MiB pinned");
        OPERATIONS.put("syncTracked", "sync, container, device's log");
        OPERATIONS.put("merge", "merge: or, and-not");
        OPERATIONS.put("takeRuns", "iterate: take every run");
        OPERATIONS.put("count", "count");
    }

    /** One operation at one density: microseconds and allocated bytes each time. */
    record Row(String operation, PagePattern pattern, double micros, double allocatedBytes) {}

    BitmapBenchResult {
        rows = List.copyOf(rows);
    }

    /** Whether something was measured, and nothing allocates per page. */
    boolean meetsGoal() {
        return !rows.isEmpty() && rows.stream().allMatch(row -> row.allocatedBytes() < ALLOCATED_BYTES_MAX);
    }

    String table() {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "a guest of %d GiB, %d Mi pages%n%n%-34s %-18s %12s %12s%n",
                BitmapBenchmarks.MEMORY_BYTES >> 30,
                BitmapBenchmarks.MEMORY_BYTES >> 32,
                "OPERATION",
                "DIRTY",
                "MICROSECONDS",
                "BYTES ALLOC."));
        for (Map.Entry<String, String> operation : OPERATIONS.entrySet()) {
            for (Row row : rows) {
                if (row.operation().equals(operation.getKey())) {
                    text.append(String.format(
                            Locale.ROOT,
                            "%-34s %-18s %12.0f %12.0f%n",
                            operation.getValue(),
                            row.pattern().title(),
                            row.micros(),
                            row.allocatedBytes()));
                }
            }
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "%ngoal: below %.0f bytes allocated by any operation: %s%n",
                        ALLOCATED_BYTES_MAX,
                        meetsGoal() ? "met" : "missed"))
                .toString();
    }

    ObjectNode document(ObjectMapper mapper) {
        ObjectNode document = mapper.createObjectNode();
        document.put("memoryBytes", BitmapBenchmarks.MEMORY_BYTES);
        ArrayNode list = document.putArray("operations");
        for (Row row : rows) {
            list.addObject()
                    .put("operation", row.operation())
                    .put("dirty", row.pattern().title())
                    .put("micros", row.micros())
                    .put("allocatedBytes", row.allocatedBytes());
        }
        document.putObject("goal").put("allocatedBytesMax", ALLOCATED_BYTES_MAX).put("met", meetsGoal());
        return document;
    }
}
