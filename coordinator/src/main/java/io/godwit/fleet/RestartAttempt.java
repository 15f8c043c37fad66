package io.godwit.fleet;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Where the attempts stand to start one VM anew. Not durable: a successor begins again at once.
 *
 * @param epoch what its owner had it under when it was first seen out of sight; 0 as long as the ledger was not asked
 * @param sinceNanos when it was first seen out of sight under that epoch
 * @param tries attempts that failed in a row
 * @param notBeforeNanos when the next one may be made
 * @param shunned hosts that have refused since room was last found nowhere else
 * @param note what the last one came to, for people; empty before the first
 */
record RestartAttempt(long epoch, long sinceNanos, int tries, long notBeforeNanos, Set<String> shunned, String note) {
    /** Most doublings of the pause: beyond, it is at its longest for any setting that makes sense. */
    private static final int DOUBLINGS_MAX = 20;

    RestartAttempt {
        shunned = Set.copyOf(shunned);
    }

    static RestartAttempt first(long nowNanos) {
        return new RestartAttempt(0, nowNanos, 0, nowNanos, Set.of(), "");
    }

    /**
     * Out of sight under {@code owned} since now. Of a VM that is just coming into being the fleet hears before its owner does:
     * it is out of sight for as long as the ledger takes, and its host's time begins only then.
     */
    RestartAttempt under(long owned, long nowNanos) {
        return new RestartAttempt(owned, nowNanos, tries, notBeforeNanos, shunned, note);
    }

    boolean due(long nowNanos) {
        return nowNanos - notBeforeNanos >= 0;
    }

    /** It has failed; on {@code host}, or for want of one, and then all may be asked again. */
    RestartAttempt failed(Optional<String> host, String why, long nowNanos, Duration retryMin, Duration retryMax) {
        long pause = Math.min(retryMax.toNanos(), retryMin.toNanos() << Math.min(tries, DOUBLINGS_MAX));
        Set<String> hosts = new HashSet<>();
        host.ifPresent(one -> {
            hosts.addAll(shunned);
            hosts.add(one);
        });
        return new RestartAttempt(epoch, sinceNanos, tries + 1, nowNanos + pause, hosts, why);
    }
}
