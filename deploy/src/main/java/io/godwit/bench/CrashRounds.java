package io.godwit.bench;

import io.godwit.demo.DemoFleet;
import io.godwit.proto.evacuation.EvacuationView;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The rounds of {@link CrashLoop}: in each the host with the most VMs is emptied, and harm is done to one process. Then the
 * evacuation has to end by itself, every VM has to run once or to have died with its agent, harm to a coordinator must not have
 * made anything fail or begin anew, and by the run logs, written outside the cluster, no VM may ever have run twice.
 */
final class CrashRounds {
    private static final Duration EVACUATION_MAX = Duration.ofSeconds(150);
    private static final Duration SETTLED_MAX = Duration.ofSeconds(90);
    private static final int MOMENT_MS_MAX = 4_000;
    private static final int PAUSE_MS_MIN = 2_000;
    private static final int PAUSE_MS_MAX = 30_000;

    private final CrashLoopOptions options;
    private final DemoFleet processes;
    private final CrashFleet fleet;
    private final Optional<Points> points;
    private final Optional<Cuts> cuts;
    private final Random draw;
    private final Witness witness = new Witness();
    private final List<Long> nextStepMs = new ArrayList<>();
    private int killed;
    private int stopped;
    private int cut;
    private int diedWithAgent;
    private int late;

    CrashRounds(
            CrashLoopOptions options,
            DemoFleet processes,
            CrashFleet fleet,
            Optional<Points> points,
            Optional<Cuts> cuts) {
        this.options = options;
        this.processes = processes;
        this.fleet = fleet;
        this.points = points;
        this.cuts = cuts;
        this.draw = new Random(options.seed());
    }

    /** Makes all rounds, or as many as it takes until something goes wrong, and prints what came of it; whether all went well. */
    boolean run() throws IOException, InterruptedException {
        Optional<String> wrong = Optional.empty();
        int last = points.isPresent() ? Points.rounds() : cuts.isPresent() ? Cuts.rounds() : Integer.MAX_VALUE;
        int made = 0;
        for (int round = options.first(); round <= last && made < options.rounds() && wrong.isEmpty(); round++) {
            wrong = round(round);
            made++;
        }
        System.out.println(summary(made, wrong));
        return wrong.isEmpty();
    }

    private Optional<String> round(int number) throws IOException, InterruptedException {
        long began = System.nanoTime();
        String emptied = fullest();
        Map<String, CrashFleet.Vm> before = fleet.vms();
        LogWatch logs = new LogWatch(coordinatorLogs());
        if (points.isPresent()) {
            points.get().prepare(number);
        }
        String evacuation = fleet.evacuate(emptied);
        Harm harm = harm(number, emptied, evacuation, logs);
        String told = "round " + number + ": " + emptied + " is emptied; " + harm.told();
        System.out.println(told);
        Optional<Long> stepMs = switch (harm) {
            case Blow blow -> strike(number, blow, evacuation, logs);
            case Cuts.Cut one -> sever(one, evacuation);
        };
        stepMs.ifPresent(nextStepMs::add);
        try {
            fleet.awaitThat("evacuation " + evacuation + " ends", EVACUATION_MAX, () -> ended(evacuation));
        } catch (IOException e) {
            return Optional.of(stuck(told, e, evacuation));
        }
        EvacuationView end = fleet.evacuation(evacuation);
        try {
            System.out.println("  " + end.state() + " after " + millisSince(began) + " ms"
                    + stepMs.map(ms -> ", next step after " + ms + " ms").orElse(""));
            end.vms().stream()
                    .filter(row -> !row.state().equals("MOVED"))
                    .findFirst()
                    .ifPresent(row -> System.out.println("  not moved: " + row));
            fleet.awaitThat("all hosts are up again", SETTLED_MAX, () -> fleet.hostsUp() == options.hosts());
            fleet.awaitThat("all coordinators answer again", SETTLED_MAX, fleet::coordinatorsUp);
            fleet.awaitThat(
                    "every VM runs, or is known to be lost with the agent that was killed",
                    SETTLED_MAX,
                    () -> settled(end, harm.dead()));
        } catch (IOException e) {
            return Optional.of(stuck(told, e, evacuation));
        }
        Optional<String> wrong =
                (harm.coordinator() ? redone(end) : Optional.<String>empty()).map(what -> "done again: " + what);
        fleet.uncordon(emptied);
        wrong = wrong.or(() -> lost(before, end, harm.dead()).map(what -> "lost: " + what));
        if (wrong.isPresent()) {
            return wrong.map(what -> told + ": " + what);
        }
        restoreLost(end);
        System.out.println("  all run again after " + millisSince(began) + " ms");
        return witness.verdict(runLogs());
    }

    private String stuck(String told, IOException why, String evacuation) {
        return "stuck: " + told + ": " + why.getMessage() + ": " + fleet.vms() + ", " + fleet.evacuation(evacuation);
    }

    private Harm harm(int number, String emptied, String evacuation, LogWatch logs)
            throws IOException, InterruptedException {
        if (points.isPresent()) {
            return points.get().await(number, emptied, evacuation, logs);
        }
        return cuts.isPresent() ? cuts.get().await(number, emptied, evacuation, logs) : drawn();
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /** The death of a coordinator is no reason to fail, nor to move anything a second time. */
    private static Optional<String> redone(EvacuationView end) {
        if (!end.state().equals("COMPLETED")) {
            return Optional.of(end.toString());
        }
        return end.vms().stream()
                .filter(row -> row.migrations().size() > 1)
                .findFirst()
                .map(EvacuationView.VmRow::toString);
    }

    private Optional<Long> strike(int round, Blow blow, String evacuation, LogWatch logs)
            throws IOException, InterruptedException {
        if (blow.kill()) {
            killed++;
            processes.kill(blow.victim());
        } else {
            stopped++;
            processes.signal(blow.victim(), false);
        }
        long at = System.nanoTime();
        if (blow.kill() && !blow.coordinator()) {
            witness.died(blow.victim(), at);
        }
        if (points.isPresent()) {
            Optional<String> phase = points.get().late(round, blow, logs);
            phase.ifPresent(now -> System.out.println("  a moment too late: in " + now + " by then"));
            late += phase.isPresent() ? 1 : 0;
        }
        Optional<String> frozen = blow.frozen().filter(name -> !name.equals(blow.victim()));
        if (frozen.isPresent()) {
            processes.signal(frozen.get(), true);
        }
        Optional<Long> step = blow.coordinator() ? nextStep(evacuation, at) : Optional.empty();
        if (blow.kill()) {
            processes.restart(blow.victim());
        } else {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(Math.max(0, blow.pauseMs() - millisSince(at))));
            processes.signal(blow.victim(), true);
        }
        return step;
    }

    private Optional<Long> sever(Cuts.Cut one, String evacuation) throws IOException, InterruptedException {
        cut++;
        long at = System.nanoTime();
        long healAt = cuts.orElseThrow().make(one);
        Optional<Long> step = one.coordinator() ? nextStep(evacuation, at) : Optional.empty();
        cuts.orElseThrow().heal(one, healAt);
        return step;
    }

    /** Waits for a drawn moment. */
    private Blow drawn() {
        boolean coordinator = draw.nextBoolean();
        boolean kill = draw.nextInt(3) > 0;
        String victim = coordinator
                ? processes
                        .coordinators()
                        .get(draw.nextInt(processes.coordinators().size()))
                : options.hostNames().get(draw.nextInt(options.hosts()));
        long momentMs = draw.nextInt(MOMENT_MS_MAX);
        long pauseMs = draw.nextInt(PAUSE_MS_MIN, PAUSE_MS_MAX);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(momentMs));
        return new Blow("after " + momentMs + " ms", victim, kill, pauseMs, Optional.empty(), Optional.empty());
    }

    private Map<String, Path> coordinatorLogs() {
        Map<String, Path> logs = new TreeMap<>();
        processes.coordinators().forEach(name -> logs.put(name, processes.log(name)));
        return logs;
    }

    /** Milliseconds until something of the evacuation has gone on; empty when it had ended before, or nothing did. */
    private Optional<Long> nextStep(String evacuation, long since) {
        Optional<String> first = Optional.empty();
        long deadline = since + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() < deadline) {
            Optional<String> now = fleet.progress(evacuation);
            if (now.isPresent() && first.isPresent() && !now.equals(first)) {
                return Optional.of(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since));
            }
            if (now.filter(text -> !text.startsWith("RUNNING") && !text.startsWith("PLANNING"))
                    .isPresent()) {
                return Optional.empty();
            }
            first = first.or(() -> now);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return Optional.empty();
    }

    private boolean ended(String evacuation) {
        EvacuationView view = fleet.evacuation(evacuation);
        return view.state().equals("COMPLETED") || view.state().equals("FAILED");
    }

    /**
     * Nobody reports a VM whose host died after the commit and before it ran it: that it is lost only its evacuation knows. Where
     * no agent was killed every VM has to run again, whatever was said of it while its host was away.
     */
    private boolean settled(EvacuationView end, Optional<String> dead) {
        Map<String, CrashFleet.Vm> vms = fleet.vms();
        return vms.size() == options.vms()
                && vms.entrySet().stream()
                        .allMatch(vm -> vm.getValue().state().equals("RUNNING") || (dead.isPresent() && gone(vm, end)));
    }

    private static boolean gone(Map.Entry<String, CrashFleet.Vm> vm, EvacuationView end) {
        return vm.getValue().state().equals("LOST")
                || (vm.getValue().state().equals("MISSING")
                        && end.vms().stream()
                                .anyMatch(row -> row.vm().equals(vm.getKey())
                                        && row.state().equals("LOST")));
    }

    private List<String> gone(EvacuationView end) {
        return fleet.vms().entrySet().stream()
                .filter(vm -> gone(vm, end))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** What is lost and was not, by the ledger, the one killed agent's to lose. */
    private Optional<String> lost(Map<String, CrashFleet.Vm> before, EvacuationView end, Optional<String> dead) {
        for (String vm : gone(end)) {
            Optional<String> owner = fleet.owner(vm);
            if (dead.isEmpty() || !owner.equals(dead)) {
                return Optional.of(vm + ", which was host " + owner.orElse("(none)") + "'s; of the agents was killed: "
                        + dead.orElse("none") + "; before: " + before + "; now: " + fleet.vms());
            }
        }
        return Optional.empty();
    }

    private void restoreLost(EvacuationView end) throws IOException {
        for (String vm : gone(end)) {
            diedWithAgent++;
            String host = fleet.owner(vm).orElse("host-1");
            fleet.forget(vm);
            fleet.create(vm, host);
        }
    }

    private String fullest() {
        Map<String, Integer> count = new TreeMap<>();
        fleet.vms().values().forEach(vm -> vm.host().ifPresent(host -> count.merge(host, 1, Integer::sum)));
        return count.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse("host-1");
    }

    private Map<String, Path> runLogs() {
        Map<String, Path> logs = new TreeMap<>();
        options.hostNames().forEach(host -> logs.put(host, processes.runLog(host)));
        return logs;
    }

    private String summary(int rounds, Optional<String> wrong) {
        List<Long> sorted = nextStepMs.stream().sorted().toList();
        String times = sorted.isEmpty()
                ? "none measured"
                : "median " + sorted.get(sorted.size() / 2) + " ms, max " + sorted.getLast() + " ms of "
                        + sorted.size();
        return rounds + " rounds, seed " + options.seed() + ": " + killed + " killed, " + stopped
                + " stopped for a while" + (late > 0 ? ", " + late + " of them a moment too late" : "")
                + (cut > 0 ? ", " + cut + " cuts" : "") + "; "
                + diedWithAgent
                + " VMs died with their own agent; from a coordinator's death to the next step of the evacuation: "
                + times
                + "\n"
                + wrong.map(what -> "WRONG: " + what).orElse("0 ran twice, 0 lost otherwise, 0 stuck");
    }
}
