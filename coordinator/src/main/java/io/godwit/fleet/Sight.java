package io.godwit.fleet;

import io.godwit.proto.cluster.Quorum;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who is out of one coordinator's own sight, for how long, and what it makes of that. Only what it sees itself counts: a host that
 * is cut off from the coordinators, but not from other hosts, says of every coordinator that it is out of sight, and the cluster's
 * common state has it that way. Pure but for what it remembers; confined to its actor.
 */
final class Sight {
    /**
     * What it decides by.
     *
     * @param coordinators how many there should be
     * @param hostAfter how long a host may be out of sight, from the moment the failure detector suspects it
     * @param coordinatorAfter how long a coordinator may be, and how long a majority may be missing
     */
    record Limits(int coordinators, Duration hostAfter, Duration coordinatorAfter) {}

    /**
     * Another member of the cluster.
     *
     * @param id unlike that of any other process, of one at the same address too
     * @param coordinator whether it is one
     * @param votes whether it is a coordinator that counts: one that is leaving for good does not
     * @param inSight whether its heartbeats come
     */
    record Other(String id, boolean coordinator, boolean votes, boolean inSight) {}

    /**
     * What follows.
     *
     * @param givenUp ids of those to be marked down
     * @param alone whether a majority of the coordinators has been missing for too long
     */
    record Verdict(List<String> givenUp, boolean alone) {}

    private final Limits limits;
    private final Map<String, Long> lostSince = new HashMap<>();
    private boolean minority;
    private long minoritySince;

    Sight(Limits limits) {
        this.limits = limits;
    }

    /** All other members as they are now. With no majority nobody is given up: that is for whoever has one to decide. */
    Verdict look(List<Other> others, long nowNanos) {
        lostSince
                .keySet()
                .retainAll(others.stream()
                        .filter(other -> !other.inSight())
                        .map(Other::id)
                        .toList());
        int all = 1;
        int seen = 1;
        for (Other other : others) {
            all += other.votes() ? 1 : 0;
            seen += other.votes() && other.inSight() ? 1 : 0;
            if (!other.inSight()) {
                lostSince.putIfAbsent(other.id(), nowNanos);
            }
        }
        if (seen < Quorum.of(Math.max(limits.coordinators(), all))) {
            minoritySince = minority ? minoritySince : nowNanos;
            minority = true;
            return new Verdict(
                    List.of(),
                    nowNanos - minoritySince >= limits.coordinatorAfter().toNanos());
        }
        minority = false;
        List<String> givenUp = new ArrayList<>();
        for (Other other : others) {
            Duration after = other.coordinator() ? limits.coordinatorAfter() : limits.hostAfter();
            Long since = lostSince.get(other.id());
            if (since != null && nowNanos - since >= after.toNanos()) {
                givenUp.add(other.id());
            }
        }
        return new Verdict(givenUp, false);
    }
}
