package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.proto.migration.Downtime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Migrations of {@link SwitchoverBench} and what follows from them, in milliseconds. */
final class SwitchoverBenchResult {
    private static final double MEDIAN_GOAL = 15;
    private static final double P99_GOAL = 50;
    /** A promise is kept within this share of the standstill, or this many milliseconds, whichever is more. */
    private static final double ERROR_SHARE = 0.15;

    private static final double ERROR_MS = 10;

    private final SwitchoverBenchOptions options;
    private final List<Switchover> made = new ArrayList<>();

    /** What one migration measured and had promised. */
    private record Switchover(String driver, Downtime downtime, long predictedMicros) {
        double totalMs() {
            return downtime.totalMicros() / 1000.0;
        }

        double predictedMs() {
            return predictedMicros / 1000.0;
        }

        double errorMs() {
            return Math.abs(predictedMs() - totalMs());
        }
    }

    SwitchoverBenchResult(SwitchoverBenchOptions options) {
        this.options = options;
    }

    /** @param driver what the guest runs on */
    void add(String driver, Downtime downtime, long predictedMicros) {
        made.add(new Switchover(driver, downtime, predictedMicros));
    }

    /** Whether the whole standstill is short enough, at the median and at the 99th percentile. */
    boolean meetsGoal() {
        double[] total = sorted(Switchover::totalMs);
        return percentile(total, 50) < MEDIAN_GOAL && percentile(total, 99) < P99_GOAL;
    }

    String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "an idle guest (%s) of %d MiB, %s%s, %d migrations between two agents over loopback, all counted%n%n",
                made.getFirst().driver(),
                options.bytes() >> 20,
                options.devices().isEmpty() ? "no devices" : "devices " + String.join(", ", options.devices()),
                options.verify() ? ", digests compared" : "",
                made.size()));
        text.append(
                String.format(Locale.ROOT, "%-20s %9s %9s %9s %9s%n", "standstill, ms", "MIN", "MEDIAN", "P99", "MAX"));
        for (StandstillPart part : StandstillPart.values()) {
            row(text, part.title(), sorted(one -> part.millis(one.downtime())));
        }
        row(text, "predicted", sorted(Switchover::predictedMs));
        row(text, "off by", sorted(Switchover::errorMs));
        text.append(String.format(
                Locale.ROOT,
                "%npredicted within %.0f %% or %.0f ms: %d of %d%ngoal: median under %.0f ms, p99 under %.0f ms: %s%n",
                ERROR_SHARE * 100,
                ERROR_MS,
                promisesKept(),
                made.size(),
                MEDIAN_GOAL,
                P99_GOAL,
                meetsGoal() ? "met" : "missed"));
        return text.toString();
    }

    ObjectNode document(ObjectMapper mapper) {
        ObjectNode document = mapper.createObjectNode();
        document.put("guest", made.getFirst().driver())
                .put("ramBytes", options.bytes())
                .put("verify", options.verify())
                .put("rounds", made.size());
        ArrayNode devices = document.putArray("devices");
        options.devices().forEach(devices::add);
        ObjectNode parts = document.putObject("downtimeMs");
        for (StandstillPart part : StandstillPart.values()) {
            put(parts.putObject(part.title()), sorted(one -> part.millis(one.downtime())));
        }
        put(document.putObject("predictedMs"), sorted(Switchover::predictedMs));
        put(document.putObject("offByMs"), sorted(Switchover::errorMs));
        ArrayNode totals = document.putArray("totalsMs");
        made.forEach(one -> totals.add(one.totalMs()));
        return document.put("promisesKept", promisesKept())
                .put("goalMedianMs", MEDIAN_GOAL)
                .put("goalP99Ms", P99_GOAL)
                .put("met", meetsGoal());
    }

    private static void row(StringBuilder text, String title, double[] sorted) {
        text.append(String.format(
                Locale.ROOT,
                "%-20s %9.2f %9.2f %9.2f %9.2f%n",
                title,
                sorted[0],
                percentile(sorted, 50),
                percentile(sorted, 99),
                sorted[sorted.length - 1]));
    }

    private static void put(ObjectNode node, double[] sorted) {
        node.put("min", sorted[0])
                .put("median", percentile(sorted, 50))
                .put("p99", percentile(sorted, 99))
                .put("max", sorted[sorted.length - 1]);
    }

    private long promisesKept() {
        return made.stream()
                .filter(one -> one.errorMs() <= Math.max(ERROR_MS, ERROR_SHARE * one.totalMs()))
                .count();
    }

    private double[] sorted(ToDoubleFunction<Switchover> value) {
        double[] values = made.stream().mapToDouble(value).toArray();
        Arrays.sort(values);
        return values;
    }

    /** The smallest value that at least {@code percent} of all values do not exceed. */
    private static double percentile(double[] sorted, int percent) {
        return sorted[Math.max(0, (sorted.length * percent + 99) / 100 - 1)];
    }
}
