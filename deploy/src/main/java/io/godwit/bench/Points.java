package io.godwit.bench;

import io.godwit.demo.DemoFleet;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waits for the named points of an evacuation's way, and says who is to be hit there. */
final class Points {
    private static final List<KillPoint> POINTS = List.of(KillPoint.values());
    private static final List<String> PARTS =
            List.of("the evacuation's coordinator", "the migration's coordinator", "the source", "the destination");
    private static final int LIMIT_MS = 30_000;
    private static final int PAUSE_MS = 30_000;

    private final DemoFleet processes;
    private final LedgerHold ledger;
    private final boolean kill;

    /** @param kill or stop for 30 s */
    Points(DemoFleet processes, LedgerHold ledger, boolean kill) {
        this.processes = processes;
        this.ledger = ledger;
        this.kill = kill;
    }

    /** How many rounds hit each point for each part once. */
    static int rounds() {
        return POINTS.size() * PARTS.size();
    }

    /** To be called before the evacuation of a round begins. */
    void prepare(int round) throws IOException {
        if (point(round).held()) {
            ledger.arm();
        }
    }

    /** Waits for the point of this round. */
    Blow await(int round, String source, String evacuation, LogWatch logs) throws IOException, InterruptedException {
        KillPoint point = point(round);
        Optional<String> frozen = Optional.empty();
        Optional<LogWatch.Seen> seen;
        if (point == KillPoint.BEFORE_PLAN) {
            seen = Optional.empty();
            logs.catchUp();
        } else if (point.held()) {
            String vm = ledger.await(LIMIT_MS).orElseThrow(() -> missed(evacuation, point));
            logs.catchUp();
            seen = logs.migrationOf(vm);
            if (point != KillPoint.LOADED) {
                frozen = Optional.of(point == KillPoint.RESUMED ? source : destination(seen, logs, source));
                int before = ledger.commits(vm);
                processes.signal(frozen.get(), false);
                awaitCommit(vm, before);
            }
            if (point == KillPoint.RESUMED) {
                seen = Optional.of(logs.await(point.phase(), LIMIT_MS).orElseThrow(() -> missed(evacuation, point)));
            }
        } else {
            seen = Optional.of(logs.await(point.phase(), LIMIT_MS).orElseThrow(() -> missed(evacuation, point)));
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(point.afterMs()));
        }
        String first = processes.coordinators().getFirst();
        int part = (round - 1) % PARTS.size();
        String victim = switch (part) {
            case 0 -> logs.holder(evacuation).orElse(first);
            case 1 -> seen.map(LogWatch.Seen::coordinator).orElse(first);
            case 2 -> source;
            default -> destination(seen, logs, source);
        };
        return new Blow(
                "at " + point.text() + " " + PARTS.get(part),
                victim,
                kill,
                PAUSE_MS,
                seen.map(LogWatch.Seen::migration),
                frozen);
    }

    /** Whether the point was left before the blow came, and for which phase. */
    Optional<String> late(int round, Blow blow, LogWatch logs) throws IOException {
        logs.catchUp();
        KillPoint point = point(round);
        if (point == KillPoint.BEFORE_PLAN) {
            return logs.migrates() ? Optional.of("PREPARING") : Optional.empty();
        }
        return blow.migration()
                .flatMap(logs::migration)
                .map(LogWatch.Seen::phase)
                .filter(phase -> !phase.equals(point.phase()));
    }

    private void awaitCommit(String vm, int before) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MS);
        while (ledger.commits(vm) == before) {
            if (System.nanoTime() > deadline) {
                throw new IOException("the commit of vm " + vm + " was not written");
            }
        }
    }

    /** Before there is one: any host that the VMs may go to. */
    private static String destination(Optional<LogWatch.Seen> seen, LogWatch logs, String source) {
        return seen.flatMap(at -> logs.destination(at.migration()))
                .orElse(source.equals("host-1") ? "host-2" : "host-1");
    }

    private static IOException missed(String evacuation, KillPoint point) {
        return new IOException("evacuation " + evacuation + " never came to " + point.text());
    }

    private static KillPoint point(int round) {
        return POINTS.get((round - 1) / PARTS.size());
    }
}
