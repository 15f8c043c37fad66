package io.godwit.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The witness outside the cluster: every host agent writes down when it starts and stops a VM's vCPUs, on the machine's
 * monotonic clock, which is one for all processes. From all of these logs together follows whether a VM ever ran twice.
 * Lines: {@code <monotonic ns> <vm> RUN|STOP <epoch>}.
 */
public final class RunLog {
    // 18 digits always fit a long
    private static final Pattern LINE = Pattern.compile("(-?\\d{1,18}) (\\S+) (RUN|STOP) (\\d{1,18})");

    private final List<Interval> intervals = new ArrayList<>();

    /**
     * A VM's vCPUs ran on a host.
     *
     * @param fromNanos when they started
     * @param toNanos when they had stopped; {@link Long#MAX_VALUE} if they still ran
     */
    public record Interval(String vm, String host, long epoch, long fromNanos, long toNanos) {
        /** Whether they still ran at the end of the log. */
        public boolean open() {
            return toNanos == Long.MAX_VALUE;
        }
    }

    /**
     * Adds the log of one host.
     *
     * @throws IOException when it cannot be read, or a line is not one: file, line and what was expected
     */
    public void read(String host, Path file) throws IOException {
        Map<String, Interval> running = new HashMap<>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            Matcher line = LINE.matcher(lines.get(i));
            if (!line.matches()) {
                throw new IOException(
                        file + ", line " + (i + 1) + ": '" + lines.get(i) + "'; expected '<ns> <vm> RUN|STOP <epoch>'");
            }
            long nanos = Long.parseLong(line.group(1));
            String vm = line.group(2);
            Interval before = running.remove(vm);
            if (before != null) {
                intervals.add(new Interval(vm, host, before.epoch(), before.fromNanos(), nanos));
            }
            if (line.group(3).equals("RUN")) {
                running.put(vm, new Interval(vm, host, Long.parseLong(line.group(4)), nanos, Long.MAX_VALUE));
            }
        }
        intervals.addAll(running.values());
    }

    /** All of them. */
    public List<Interval> intervals() {
        return List.copyOf(intervals);
    }

    /** Where a VM still ran at the end of the logs. */
    public List<Interval> open(String vm) {
        return intervals.stream().filter(i -> i.vm().equals(vm) && i.open()).toList();
    }

    /** Two runs of the same VM at the same moment, if there are any. */
    public Optional<String> overlap() {
        for (int i = 0; i < intervals.size(); i++) {
            for (int j = i + 1; j < intervals.size(); j++) {
                Interval a = intervals.get(i);
                Interval b = intervals.get(j);
                if (a.vm().equals(b.vm()) && a.fromNanos() < b.toNanos() && b.fromNanos() < a.toNanos()) {
                    return Optional.of("VM " + a.vm() + " ran on " + a.host() + " (epoch " + a.epoch() + ") and on "
                            + b.host() + " (epoch " + b.epoch() + ") at the same time");
                }
            }
        }
        return Optional.empty();
    }

    /** A run under an epoch not above that of a run which began before it, if there is one. */
    public Optional<String> staleEpoch() {
        for (Interval a : intervals) {
            for (Interval b : intervals) {
                if (a.vm().equals(b.vm())
                        && !a.host().equals(b.host())
                        && a.fromNanos() < b.fromNanos()
                        && a.epoch() >= b.epoch()) {
                    return Optional.of("VM " + a.vm() + " ran on " + b.host() + " under epoch " + b.epoch() + " after "
                            + a.host() + " under epoch " + a.epoch() + "; expected a higher one");
                }
            }
        }
        return Optional.empty();
    }
}
