package io.godwit.bench;

import io.godwit.demo.RunLog;
import io.godwit.demo.RunLog.Interval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Judges from outside the cluster whether a VM ever ran twice: by the run logs that the agents write, on the machine's one
 * monotonic clock, and by the moments at which agents were killed, for a killed agent writes no stop.
 */
final class Witness {
    private final Map<String, TreeSet<Long>> deaths = new HashMap<>();

    /** The agent of {@code host} has been dead, and its guests with it, since {@code nanos} at the latest. */
    void died(String host, long nanos) {
        deaths.computeIfAbsent(host, _ -> new TreeSet<>()).add(nanos);
    }

    /**
     * What is wrong, if anything is.
     *
     * @param logs the run log of each host
     * @throws IOException when one cannot be read
     */
    Optional<String> verdict(Map<String, Path> logs) throws IOException {
        RunLog log = new RunLog();
        for (Map.Entry<String, Path> one : logs.entrySet()) {
            if (Files.exists(one.getValue())) {
                log.read(one.getKey(), one.getValue());
            }
        }
        Map<String, List<Interval>> byVm = new HashMap<>();
        for (Interval interval : log.intervals()) {
            byVm.computeIfAbsent(interval.vm(), _ -> new ArrayList<>()).add(ended(interval));
        }
        for (List<Interval> runs : byVm.values()) {
            runs.sort(Comparator.comparingLong(Interval::fromNanos));
            Interval last = runs.getFirst();
            for (Interval run : runs.subList(1, runs.size())) {
                if (run.fromNanos() < last.toNanos()) {
                    return Optional.of("VM " + run.vm() + " ran on " + last.host() + " (epoch " + last.epoch()
                            + ") and on " + run.host() + " (epoch " + run.epoch() + ") at the same time");
                }
                if (run.epoch() < last.epoch()
                        || (run.epoch() == last.epoch() && !run.host().equals(last.host()))) {
                    return Optional.of("VM " + run.vm() + " ran on " + run.host() + " under epoch " + run.epoch()
                            + " after " + last.host() + " under epoch " + last.epoch());
                }
                last = run;
            }
        }
        return Optional.empty();
    }

    /** A run that a death has ended without a word. */
    private Interval ended(Interval run) {
        Long death = deaths.getOrDefault(run.host(), new TreeSet<>()).higher(run.fromNanos());
        return death == null || death >= run.toNanos()
                ? run
                : new Interval(run.vm(), run.host(), run.epoch(), run.fromNanos(), death);
    }
}
