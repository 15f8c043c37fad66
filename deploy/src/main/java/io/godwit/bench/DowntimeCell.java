package io.godwit.bench;

import io.godwit.proto.migration.Downtime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** One row of {@link DowntimeBench}: a guest of one kind, and the migrations it made. */
final class DowntimeCell {
    /** A promise is kept within this share of the standstill, or this many milliseconds, whichever is more. */
    static final double ERROR_SHARE = 0.15;

    static final double ERROR_MS = 10;

    /** How devices report the pages they have pinned, as in {@code DeviceSpec.dirtyReporting}. */
    final String policy;

    /** What the vCPUs write, per second; 0 for an idle guest. */
    final long dirtyMibPerSecond;

    /** What the device has pinned. */
    final long pinnedMib;

    private final List<Standstill> made = new ArrayList<>();
    private boolean flagged;

    /** What one migration had promised when it asked to switch over, and what it measured. */
    record Standstill(long predictedMicros, Downtime measured) {
        double predictedMs() {
            return predictedMicros / 1000.0;
        }

        double measuredMs() {
            return measured.totalMicros() / 1000.0;
        }

        /** Positive when it stood still for longer than promised. */
        double errorMs() {
            return measuredMs() - predictedMs();
        }

        boolean kept() {
            return Math.abs(errorMs()) <= Math.max(ERROR_MS, ERROR_SHARE * measuredMs());
        }
    }

    DowntimeCell(String policy, long dirtyMibPerSecond, long pinnedMib) {
        this.policy = policy;
        this.dirtyMibPerSecond = dirtyMibPerSecond;
        this.pinnedMib = pinnedMib;
    }

    void add(Standstill one) {
        made.add(one);
    }

    /** A prediction was seen that was said not to be trusted. */
    void flag() {
        flagged = true;
    }

    boolean flagged() {
        return flagged;
    }

    /** Whether its promises count: with hidden pages they are there to be compared only. */
    boolean counts() {
        return !policy.equals("STOP_COPY_ONLY");
    }

    List<Standstill> made() {
        return List.copyOf(made);
    }

    long kept() {
        return made.stream().filter(Standstill::kept).count();
    }

    /** The one whose measured standstill is in the middle. */
    Standstill median() {
        return made.stream()
                .sorted(Comparator.comparingDouble(Standstill::measuredMs))
                .toList()
                .get(made.size() / 2);
    }

    /** The error furthest from zero. */
    double worstErrorMs() {
        return made.stream()
                .mapToDouble(Standstill::errorMs)
                .boxed()
                .max(Comparator.comparingDouble(Math::abs))
                .orElse(0.0);
    }
}
