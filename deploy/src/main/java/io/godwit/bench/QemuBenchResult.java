package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** Migrations of {@link QemuBench} and what follows from them, in milliseconds. */
final class QemuBenchResult {
    private static final double ERROR_GOAL = 0.5;
    private static final double TIME_GOAL = 1.05;

    private static final List<Span> SPANS = List.of(
            new Span("both QEMUs there -> it runs at the destination", QemuRun::totalMs),
            new Span("asked for -> it runs at the destination", QemuRun::fromRequestMs),
            new Span("asked for -> over, the source gone", QemuRun::toTheEndMs),
            new Span("standstill", QemuRun::standstillMs));

    private final QemuBenchOptions options;
    private final List<QemuStandstill> standstills = new ArrayList<>();
    private final List<QemuRun> through = new ArrayList<>();
    private final List<QemuRun> byHand = new ArrayList<>();

    private boolean ownCores;

    private record Span(String title, ToDoubleFunction<QemuRun> millis) {}

    QemuBenchResult(QemuBenchOptions options) {
        this.options = options;
    }

    /** Whether each host has cores of its own. */
    void ownCores(boolean own) {
        ownCores = own;
    }

    void add(QemuStandstill one) {
        standstills.add(one);
    }

    /** One migration through Godwit, and one by hand. */
    void add(QemuRun godwit, QemuRun hand) {
        through.add(godwit);
        byHand.add(hand);
    }

    /** Whether what was measured meets its goals. */
    boolean meetsGoals() {
        return errorMet() && timeMet();
    }

    private boolean errorMet() {
        return standstills.isEmpty() || errorShare() <= ERROR_GOAL;
    }

    private boolean timeMet() {
        return through.isEmpty() || ratio(SPANS.getFirst()) <= TIME_GOAL;
    }

    /** Our mean absolute error as a share of QEMU's. */
    private double errorShare() {
        return mean(standstills, QemuStandstill::ourError) / mean(standstills, QemuStandstill::expectedError);
    }

    private double ratio(Span span) {
        return median(through, span.millis()) / median(byHand, span.millis());
    }

    String table() {
        StringBuilder text = new StringBuilder();
        if (!standstills.isEmpty()) {
            standstills(text);
        }
        if (!through.isEmpty()) {
            times(text);
        }
        return text.toString();
    }

    private void standstills(StringBuilder text) {
        text.append(String.format(
                Locale.ROOT,
                "%-14s %4s %9s %9s | %9s %9s | %9s %9s%n",
                "means, ms",
                "N",
                "MEASURED",
                "REPORTED",
                "PROMISED",
                "OFF BY",
                "QEMU SAID",
                "OFF BY"));
        groups().forEach((title, of) -> text.append(String.format(
                Locale.ROOT,
                "%-14s %4d %9.1f %9.1f | %9.1f %9.1f | %9.1f %9.1f%n",
                title,
                of.size(),
                mean(of, QemuStandstill::measured),
                mean(of, QemuStandstill::reportedMs),
                mean(of, QemuStandstill::ours),
                mean(of, QemuStandstill::ourError),
                mean(of, QemuStandstill::expected),
                mean(of, QemuStandstill::expectedError))));
        text.append(String.format(
                Locale.ROOT,
                "%nmeasured: from QEMU's STOP at the source to its RESUME at the destination; reported: as Godwit says.%n"
                        + "mean error %.2f of that of QEMU's expected-downtime; goal: at most %.2f: %s%n%n",
                errorShare(),
                ERROR_GOAL,
                met(errorMet())));
        if (options.all()) {
            standstills.forEach(one -> text.append(line(one)));
            text.append(System.lineSeparator());
        }
    }

    private static String line(QemuStandstill one) {
        StringBuilder line = new StringBuilder(String.format(
                Locale.ROOT,
                "%s%s: measured %.1f, reported %.1f, promised %.1f, QEMU said %.1f;",
                one.guest(),
                one.first() ? ", first" : "",
                one.measured(),
                one.reportedMs(),
                one.ours(),
                one.expected()));
        for (StandstillPart part : StandstillPart.values()) {
            if (part.millis(one.reported()) > 0) {
                line.append(String.format(Locale.ROOT, " %s %.1f", part.title(), part.millis(one.reported())));
            }
        }
        return line + "; " + one.trace() + System.lineSeparator();
    }

    /** Each guest's first migrations and its later ones, then all guests'. */
    private Map<String, List<QemuStandstill>> groups() {
        Map<String, List<QemuStandstill>> groups = new LinkedHashMap<>();
        standstills.stream().map(QemuStandstill::guest).distinct().sorted().forEach(guest -> {
            put(groups, guest + ", first", one -> one.guest().equals(guest) && one.first());
            put(groups, guest + ", later", one -> one.guest().equals(guest) && !one.first());
        });
        put(groups, "all, first", QemuStandstill::first);
        put(groups, "all, later", one -> !one.first());
        put(groups, "all", _ -> true);
        return groups;
    }

    private void put(Map<String, List<QemuStandstill>> groups, String title, Predicate<QemuStandstill> which) {
        List<QemuStandstill> such = standstills.stream().filter(which).toList();
        if (!such.isEmpty()) {
            groups.put(title, such);
        }
    }

    private void times(StringBuilder text) {
        text.append(String.format(
                Locale.ROOT,
                "%-48s %9s %9s %7s%n",
                "medians of " + through.size() + ", " + (options.bytes() >> 20) + " MiB, "
                        + (ownCores ? "own" : "shared") + " cores, ms",
                "GODWIT",
                "BY HAND",
                "RATIO"));
        for (Span span : SPANS) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-48s %9.1f %9.1f %7.3f%n",
                    span.title(),
                    median(through, span.millis()),
                    median(byHand, span.millis()),
                    ratio(span)));
        }
        text.append(String.format(
                Locale.ROOT,
                "%nratio of the first line %.3f; goal: at most %.2f: %s%n",
                ratio(SPANS.getFirst()),
                TIME_GOAL,
                met(timeMet())));
        if (options.all()) {
            for (int i = 0; i < through.size(); i++) {
                text.append(line("godwit", through.get(i))).append(line("by hand", byHand.get(i)));
            }
        }
    }

    private static String line(String who, QemuRun run) {
        StringBuilder line = new StringBuilder(who);
        for (Span span : SPANS) {
            line.append(String.format(Locale.ROOT, " %.1f", span.millis().applyAsDouble(run)));
        }
        return line + "; " + run.trace() + System.lineSeparator();
    }

    ObjectNode document(ObjectMapper mapper) {
        ObjectNode document = mapper.createObjectNode();
        document.put("accelerator", options.accelerator());
        if (!standstills.isEmpty()) {
            ArrayNode rows = document.putArray("standstills");
            groups().forEach((title, of) -> rows.addObject()
                    .put("which", title)
                    .put("migrations", of.size())
                    .put("measuredMs", mean(of, QemuStandstill::measured))
                    .put("reportedMs", mean(of, QemuStandstill::reportedMs))
                    .put("promisedMs", mean(of, QemuStandstill::ours))
                    .put("promisedOffByMs", mean(of, QemuStandstill::ourError))
                    .put("qemuSaidMs", mean(of, QemuStandstill::expected))
                    .put("qemuOffByMs", mean(of, QemuStandstill::expectedError)));
            document.put("errorShare", errorShare()).put("goalErrorShare", ERROR_GOAL);
        }
        if (!through.isEmpty()) {
            document.put("ramBytes", options.bytes())
                    .put("pairs", through.size())
                    .put("ownCores", ownCores);
            ArrayNode rows = document.putArray("times");
            for (Span span : SPANS) {
                rows.addObject()
                        .put("span", span.title())
                        .put("godwitMs", median(through, span.millis()))
                        .put("byHandMs", median(byHand, span.millis()))
                        .put("ratio", ratio(span));
            }
            document.put("goalRatio", TIME_GOAL);
        }
        return document.put("met", meetsGoals());
    }

    private static String met(boolean met) {
        return met ? "met" : "missed";
    }

    private static <T> double mean(List<T> of, ToDoubleFunction<T> value) {
        return of.stream().mapToDouble(value).average().orElse(0);
    }

    private static <T> double median(List<T> of, ToDoubleFunction<T> value) {
        double[] sorted = of.stream().mapToDouble(value).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
