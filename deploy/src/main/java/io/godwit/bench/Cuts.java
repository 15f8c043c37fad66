package io.godwit.bench;

import io.godwit.demo.DemoFleet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Who is cut off from whom, and when: eight ways, in pre-copy and in the switchover. */
final class Cuts {
    private static final List<KillPoint> MOMENTS = List.of(KillPoint.PRE_COPY, KillPoint.SOURCE_STOPPED);
    private static final int WAYS = 8;
    private static final int LIMIT_MS = 30_000;
    private static final int CUT_MS = 30_000;

    private final DemoFleet processes;
    private final Namespaces network;
    private final List<String> hosts;

    Cuts(DemoFleet processes, Namespaces network, List<String> hosts) {
        this.processes = processes;
        this.network = network;
        this.hosts = List.copyOf(hosts);
    }

    /** How many rounds make each cut once. */
    static int rounds() {
        return MOMENTS.size() * WAYS;
    }

    /**
     * One cut.
     *
     * @param told who is cut off, and when, as people read it
     * @param coordinator whether one coordinator alone is cut off, which must cost no migration anything
     */
    record Cut(String told, boolean coordinator, List<String> some, List<String> others) implements Harm {
        @Override
        public Optional<String> dead() {
            return Optional.empty();
        }
    }

    /** Waits for the moment of this round, and says what is to be cut then. */
    Cut await(int round, String source, String evacuation, LogWatch logs) throws IOException {
        KillPoint moment = MOMENTS.get((round - 1) / WAYS);
        LogWatch.Seen seen = logs.await(moment.phase(), LIMIT_MS)
                .orElseThrow(() -> new IOException("evacuation " + evacuation + " never came to " + moment.text()));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(moment.afterMs()));
        List<String> coordinators = processes.coordinators();
        String holder = logs.holder(evacuation).orElse(coordinators.getFirst());
        String other = coordinators.stream()
                .filter(name -> !name.equals(holder))
                .findFirst()
                .orElseThrow();
        String destination = logs.destination(seen.migration()).orElseThrow();
        String when = "at " + moment.text() + " ";
        return switch ((round - 1) % WAYS) {
            case 0 ->
                apart(
                        when + "the evacuation's coordinator is cut off from everybody and the store:",
                        true,
                        List.of(holder),
                        true);
            case 1 ->
                apart(
                        when + "the migration's coordinator is cut off from all but the store:",
                        true,
                        List.of(seen.coordinator()),
                        false);
            case 2 ->
                new Cut(
                        when + "the source is cut off from the coordinators: " + source,
                        false,
                        List.of(source),
                        coordinators);
            case 3 ->
                new Cut(
                        when + "the destination is cut off from the coordinators: " + destination,
                        false,
                        List.of(destination),
                        coordinators);
            case 4 ->
                new Cut(
                        when + "the source is cut off from the destination: " + source + " | " + destination,
                        false,
                        List.of(source),
                        List.of(destination));
            case 5 ->
                apart(
                        when + "the evacuation's coordinator is alone with the source:",
                        false,
                        List.of(holder, source),
                        false);
            case 6 ->
                apart(
                        when + "the evacuation's coordinator is alone with the destination:",
                        false,
                        List.of(holder, destination),
                        false);
            default ->
                apart(
                        when + "another coordinator is alone with both hosts:",
                        false,
                        List.of(other, source, destination),
                        false);
        };
    }

    private Cut apart(String told, boolean coordinator, List<String> some, boolean store) {
        Collection<String> others = new ArrayList<>(processes.coordinators());
        others.addAll(hosts);
        others.removeAll(some);
        if (store) {
            others.add(Namespaces.HUB);
        }
        return new Cut(told + " " + some, coordinator, some, List.copyOf(others));
    }

    /** Cuts; {@link #heal} is due at the time it returns, of {@code System.nanoTime}. */
    long make(Cut cut) throws IOException, InterruptedException {
        network.cut(cut.some(), cut.others());
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CUT_MS);
    }

    /** Waits until {@code atNanos}, then takes the cut back. */
    void heal(Cut cut, long atNanos) throws IOException, InterruptedException {
        LockSupport.parkNanos(Math.max(0, atNanos - System.nanoTime()));
        network.heal(cut.some(), cut.others());
    }
}
