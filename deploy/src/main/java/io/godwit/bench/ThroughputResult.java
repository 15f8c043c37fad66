package io.godwit.bench;

import java.util.Arrays;
import java.util.Locale;

/** Rounds of {@link Throughput} in GiB/s and what follows from them. */
final class ThroughputResult {
    private final long bytes;
    private final double[] plain;
    private final double[] running;
    private final double[] stopped;
    private int rounds;

    ThroughputResult(long bytes, int rounds) {
        this.bytes = bytes;
        this.plain = new double[rounds];
        this.running = new double[rounds];
        this.stopped = new double[rounds];
    }

    void add(double plainRate, double runningRate, double stoppedRate) {
        plain[rounds] = plainRate;
        running[rounds] = runningRate;
        stopped[rounds] = stoppedRate;
        rounds++;
    }

    /** Whether both ways of the stream reach {@code goal} times the plain copy. */
    boolean meets(double goal) {
        return Math.min(ratio(running), ratio(stopped)) >= goal;
    }

    String table(double goal) {
        return String.format(
                        Locale.ROOT,
                        "%d MiB of non-zero pages, two processes over TCP loopback, %d rounds, GiB/s%n%n",
                        bytes >> 20,
                        rounds)
                + String.format(Locale.ROOT, "%-22s %8s %8s %8s %8s%n", "", "MEDIAN", "MIN", "MAX", "RATIO")
                + row("plain socket copy", plain)
                + row("stream, guest running", running)
                + row("stream, guest stopped", stopped)
                + String.format(Locale.ROOT, "%ngoal: ratio at least %.2f: %s%n", goal, meets(goal) ? "met" : "missed");
    }

    String json(double goal) {
        return String.format(
                Locale.ROOT,
                "{\"bytes\": %d, \"rounds\": %d, \"plain\": %s, \"running\": %s, \"stopped\": %s, \"goal\": %.2f, \"met\": %b}%n",
                bytes,
                rounds,
                json(plain),
                json(running),
                json(stopped),
                goal,
                meets(goal));
    }

    private String row(String name, double[] rates) {
        double[] sorted = sorted(rates);
        return String.format(
                Locale.ROOT,
                "%-22s %8.2f %8.2f %8.2f %8.2f%n",
                name,
                median(rates),
                sorted[0],
                sorted[sorted.length - 1],
                ratio(rates));
    }

    private String json(double[] rates) {
        return String.format(
                Locale.ROOT,
                "{\"medianGibPerSecond\": %.3f, \"ratio\": %.3f, \"gibPerSecond\": %s}",
                median(rates),
                ratio(rates),
                Arrays.toString(rates));
    }

    private double ratio(double[] rates) {
        return median(rates) / median(plain);
    }

    private static double median(double[] rates) {
        double[] sorted = sorted(rates);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double[] sorted(double[] rates) {
        double[] sorted = rates.clone();
        Arrays.sort(sorted);
        return sorted;
    }
}
