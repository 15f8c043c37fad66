package io.godwit.agent.qemu;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.ToLongFunction;

/**
 * What an agent has learnt of the standstills of QEMU guests, per {@link Way} (each migration has a port of its own there):
 * the part that no byte count explains, and how fast RAM goes while a VM stands. Safe for any thread; at most {@value
 * #REMEMBERED} standstills for each way.
 */
public final class QemuLearnt {
    /** Enough for a median that one busy moment does not move, few enough to follow a change within minutes. */
    private static final int REMEMBERED = 5;

    /** What was sent in less than this goes through socket buffers and tells nothing of the link. */
    static final long TELLING_BYTES = 1 << 20;

    private final ConcurrentMap<Way, List<Standstill>> standstills = new ConcurrentHashMap<>();

    /**
     * What standstills have in common.
     *
     * @param host where the VM goes
     * @param emulated whether it stands for all of its copying ({@link QemuEmulation}): much of that is empty pages, of which next
     *     to nothing is sent
     */
    record Way(String host, boolean emulated) {}

    /**
     * One standstill that was measured.
     *
     * @param early whether QEMU stopped the VM by itself, so that the handoff was asked for only at its end
     * @param totalMicros from the word to stop until it ran at the destination
     * @param leftBytes RAM that was left when it was stopped, as it is counted for a prediction: empty pages, which cost next to
     *     nothing, and pages that are sent compressed count as all others
     * @param bytes written to the stream while it stood
     * @param micros in which they were written; part of the total
     */
    record Standstill(boolean early, long totalMicros, long leftBytes, long bytes, long micros) {
        /** Whether it tells how fast RAM goes. */
        boolean tellsBandwidth() {
            return !early && bytes >= TELLING_BYTES && micros > 0;
        }

        long bandwidth() {
            return (long) (leftBytes * 1e6 / micros);
        }

        long unexplainedMicros() {
            return Math.max(0, totalMicros - micros);
        }
    }

    /**
     * What a standstill costs.
     *
     * @param fixedMicros what no byte count explains, when the agent stops the VM
     * @param earlyMicros all of it, when QEMU stops the VM by itself
     * @param bandwidth bytes per second while the VM stands; 0 when unknown: then as fast as before
     */
    record Costs(long fixedMicros, long earlyMicros, long bandwidth) {
        /** Nothing has been learnt yet. */
        static Costs unknown(Duration fixed) {
            return new Costs(fixed.toNanos() / 1000, fixed.toNanos() / 1000, 0);
        }

        /** The same with another bandwidth. */
        Costs at(long bytesPerSecond) {
            return new Costs(fixedMicros, earlyMicros, bytesPerSecond);
        }
    }

    /** What is known of standstills on that way; {@code fixed}: what stands for the fixed part until then. */
    Costs costs(Way way, Duration fixed) {
        List<Standstill> known = standstills.getOrDefault(way, List.of());
        if (known.isEmpty()) {
            return Costs.unknown(fixed);
        }
        List<Standstill> telling =
                known.stream().filter(Standstill::tellsBandwidth).toList();
        return new Costs(
                median(of(known, false), Standstill::unexplainedMicros),
                median(of(known, true), Standstill::unexplainedMicros),
                telling.isEmpty() ? 0 : median(telling, Standstill::bandwidth));
    }

    /** Those of that kind; all of them when there is none. */
    private static List<Standstill> of(List<Standstill> known, boolean early) {
        List<Standstill> such =
                known.stream().filter(one -> one.early() == early).toList();
        return such.isEmpty() ? known : such;
    }

    /**
     * A VM that went that way has stood still.
     *
     * @param fixedMax with a longer part that no byte explains something broke in it, which teaches nothing of the next
     */
    void learn(Way way, Standstill measured, Duration fixedMax) {
        if (measured.unexplainedMicros() > fixedMax.toNanos() / 1000) {
            return;
        }
        standstills.compute(way, (_, before) -> {
            List<Standstill> all = new ArrayList<>(before == null ? List.of() : before);
            all.add(measured);
            return List.copyOf(all.subList(Math.max(0, all.size() - REMEMBERED), all.size()));
        });
    }

    private static long median(List<Standstill> of, ToLongFunction<Standstill> value) {
        long[] sorted = of.stream().mapToLong(value).sorted().toArray();
        // of two the smaller: an agent that has just started is slow at first
        return sorted[(sorted.length - 1) / 2];
    }
}
