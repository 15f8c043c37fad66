package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.proto.migration.MigrationView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rounds of {@link MigrationBench} and what follows from them; medians throughout. */
final class MigrationBenchResult {
    private static final double GIB = 1L << 30;

    private final long bytes;
    private final String guest;
    private final List<Double> plain = new ArrayList<>();
    private final List<MigrationView> without = new ArrayList<>();
    private final List<MigrationView> with = new ArrayList<>();

    MigrationBenchResult(long bytes, String guest) {
        this.bytes = bytes;
        this.guest = guest;
    }

    void add(double plainRate, MigrationView withoutVerify, MigrationView withVerify) {
        plain.add(plainRate);
        without.add(withoutVerify);
        with.add(withVerify);
    }

    /** Whether a migration without verify reaches {@code goal} times the plain copy. */
    boolean meets(double goal) {
        return ratio(without) >= goal;
    }

    String table(double goal) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "an idle guest (%s) of %d MiB, all pages non-zero, between two agents over TCP loopback, %d rounds%n%n",
                without.getFirst().driver(),
                bytes >> 20,
                plain.size()));
        text.append(String.format(Locale.ROOT, "%-26s %8s %8s%n", "", "GiB/s", "RATIO"));
        text.append(String.format(Locale.ROOT, "%-26s %8.2f %8.2f%n", "plain socket copy", median(plain), 1.0));
        text.append(
                String.format(Locale.ROOT, "%-26s %8.2f %8.2f%n", "migration", median(rates(without)), ratio(without)));
        text.append(String.format(
                Locale.ROOT, "%-26s %8.2f %8.2f%n%n", "migration with verify", median(rates(with)), ratio(with)));
        text.append(String.format(Locale.ROOT, "%-26s %10s %10s%n", "standstill, ms", "NO VERIFY", "VERIFY"));
        for (StandstillPart part : StandstillPart.values()) {
            text.append(String.format(
                    Locale.ROOT, "%-26s %10.2f %10.2f%n", part.title(), part(without, part), part(with, part)));
        }
        text.append(
                String.format(Locale.ROOT, "%-26s %10.2f %10.2f%n", "predicted", predicted(without), predicted(with)));
        text.append(String.format(
                Locale.ROOT,
                "%ngoal: a ratio of at least %.2f without verify: %s%n",
                goal,
                meets(goal) ? "met" : "missed"));
        return text.toString();
    }

    ObjectNode document(ObjectMapper mapper, double goal) {
        ObjectNode document = mapper.createObjectNode();
        document.put("ramBytes", bytes)
                .put("guest", guest)
                .put("rounds", plain.size())
                .put("plainGibPerSecond", median(plain));
        document.set("migration", way(mapper, without));
        document.set("migrationWithVerify", way(mapper, with));
        return document.put("goal", goal).put("met", meets(goal));
    }

    private ObjectNode way(ObjectMapper mapper, List<MigrationView> views) {
        ObjectNode way = mapper.createObjectNode();
        way.put("gibPerSecond", median(rates(views))).put("ratio", ratio(views));
        way.put("predictedDowntimeMs", predicted(views));
        ObjectNode parts = way.putObject("downtimeMs");
        for (StandstillPart part : StandstillPart.values()) {
            parts.put(part.title(), part(views, part));
        }
        return way;
    }

    private double ratio(List<MigrationView> views) {
        return median(rates(views)) / median(plain);
    }

    private List<Double> rates(List<MigrationView> views) {
        return views.stream()
                .map(view -> bytes
                        / GIB
                        / (view.stats().precopyMillis() / 1e3 + view.downtime().totalMicros() / 1e6))
                .toList();
    }

    private static double part(List<MigrationView> views, StandstillPart part) {
        return median(views.stream().map(view -> part.millis(view.downtime())).toList());
    }

    private static double predicted(List<MigrationView> views) {
        return median(views.stream()
                .map(view -> view.stats().predictedDowntimeMicros() / 1000.0)
                .toList());
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
