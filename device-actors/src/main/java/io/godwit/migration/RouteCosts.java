package io.godwit.migration;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * What a switchover to one destination costs, as far as it is known: medians of the last ones, so that a single busy moment
 * does not spoil the next promise; where nothing is known, what the configuration says. Pure.
 *
 * @param fixedMicros what no byte count explains
 * @param handoffMicros from the word that asks for the switchover to the stop
 * @param precopyBandwidth what the stream did while VMs ran, in bytes per second; 0 when unknown
 * @param deviceMicrosPerByte sending device state while a VM stands still; 0 when unknown: then as fast as RAM
 * @param sourceDigestMicrosPerByte the source's digest, per byte of RAM
 * @param destinationDigestMicrosPerByte the destination's
 * @param copies switchovers that tell how fast RAM goes while a VM stands still
 */
record RouteCosts(
        long fixedMicros,
        long handoffMicros,
        long precopyBandwidth,
        double deviceMicrosPerByte,
        double sourceDigestMicrosPerByte,
        double destinationDigestMicrosPerByte,
        List<Switchover> copies) {
    /**
     * A pre-copy bandwidth that differs by no more than this factor from one before says that the guest competed more or
     * less for the cores, which a guest that stands still does not; only what differs by more is the link's doing.
     */
    private static final double COMPETITION = 1.5;

    /** Enough for a median that one or two busy moments do not move, few enough to follow a change within minutes. */
    private static final int REMEMBERED = 8;

    RouteCosts {
        copies = List.copyOf(copies);
    }

    /**
     * Those of {@code all}, oldest first, that still tell something: the last few, and the last few that sent enough RAM or
     * device state. What one VM with pinned memory has taught is not lost over a dozen VMs that have none.
     */
    static List<Switchover> telling(List<Switchover> all) {
        List<Switchover> last = last(all, _ -> true);
        List<Switchover> ram = last(all, Switchover::tellsRam);
        List<Switchover> devices = last(all, Switchover::tellsDevices);
        return all.stream()
                .filter(one -> last.contains(one) || ram.contains(one) || devices.contains(one))
                .toList();
    }

    private static List<Switchover> last(List<Switchover> all, Predicate<Switchover> tells) {
        List<Switchover> some = all.stream().filter(tells).toList();
        return some.subList(Math.max(0, some.size() - REMEMBERED), some.size());
    }

    /**
     * From the last switchovers to that destination, oldest first.
     *
     * @param here to this destination, in whatever order; empty for a new one
     * @param anywhere to all of them: what depends on the hosts' cores rather than on the way, and was not seen here yet
     */
    static RouteCosts of(MigrationSettings settings, List<Switchover> here, List<Switchover> anywhere) {
        double digest = 1e6 / settings.digestBytesPerSecond();
        List<Switchover> last = last(here, _ -> true);
        return new RouteCosts(
                (long) median(last.stream().map(s -> (double) s.unexplainedMicros()), micros(settings.fixedDowntime())),
                (long) median(last.stream().map(s -> (double) s.handoffMicros()), micros(settings.handoffDelay())),
                (long) median(rates(last, s -> s.precopyBandwidth() > 0, Switchover::precopyBandwidth), 0),
                known(here, anywhere, Switchover::tellsDevices, s -> (double) s.deviceMicros() / s.deviceBytes(), 0),
                known(
                        here,
                        anywhere,
                        s -> s.sourceDigestMicros() > 0,
                        s -> (double) s.sourceDigestMicros() / s.memoryBytes(),
                        digest),
                known(
                        here,
                        anywhere,
                        s -> s.destinationDigestMicros() > 0,
                        s -> (double) s.destinationDigestMicros() / s.memoryBytes(),
                        digest),
                last(here, Switchover::tellsRam));
    }

    /**
     * Bytes per second of RAM while a VM stands still, when {@code precopy} was measured while it ran (0: not measured);
     * 0 when nothing is known. A median weighted by bytes: what little was sent in a millisecond is told less exactly.
     */
    long stoppedBandwidth(long precopy) {
        if (copies.isEmpty()) {
            return precopy;
        }
        record Estimate(double bytesPerSecond, long weight) {}
        List<Estimate> estimates = new ArrayList<>();
        long weights = 0;
        for (Switchover copy : copies) {
            double link = precopy > 0 && copy.precopyBandwidth() > 0 ? (double) precopy / copy.precopyBandwidth() : 1;
            double change = link > COMPETITION ? link / COMPETITION : link < 1 / COMPETITION ? link * COMPETITION : 1;
            estimates.add(new Estimate(copy.stoppedBandwidth() * change, copy.ramBytes()));
            weights += copy.ramBytes();
        }
        estimates.sort(Comparator.comparingDouble(Estimate::bytesPerSecond));
        long below = 0;
        for (Estimate estimate : estimates) {
            below += estimate.weight();
            if (2 * below >= weights) {
                return (long) estimate.bytesPerSecond();
            }
        }
        throw new IllegalStateException("no median among " + estimates);
    }

    private static double known(
            List<Switchover> here,
            List<Switchover> anywhere,
            Predicate<Switchover> tells,
            ToDoubleFunction<Switchover> rate,
            double otherwise) {
        return median(rates(last(here, tells), tells, rate), median(rates(anywhere, tells, rate), otherwise));
    }

    private static Stream<Double> rates(
            List<Switchover> from, Predicate<Switchover> tells, ToDoubleFunction<Switchover> rate) {
        return from.stream().filter(tells).map(rate::applyAsDouble);
    }

    /** The upper of the two in the middle: a promise is better kept than short. */
    private static double median(Stream<Double> values, double otherwise) {
        List<Double> sorted = values.sorted().toList();
        return sorted.isEmpty() ? otherwise : sorted.get(sorted.size() / 2);
    }

    private static double micros(Duration duration) {
        return duration.toNanos() / 1e3;
    }
}
