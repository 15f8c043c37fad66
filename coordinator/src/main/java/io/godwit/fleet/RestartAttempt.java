package io.godwit.fleet;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Where the attempts stand to start one VM anew. Not durable: a successor begins again at once.
 *
 * @param sinceNanos when it was first seen out of sight
 * @param tries attempts that failed in a row
 * @param notBeforeNanos when the next one may be made
 * @param shunned hosts that have refused since room was last found nowhere else
 * @param note what the last one came to, for people; empty before the first
 */
record RestartAttempt(long sinceNanos, int tries, long notBeforeNanos, Set<String> shunned, String note) {
    /** Most doublings of the pause: beyond, it is at its longest for any setting that makes sense. */
    private static final int DOUBLINGS_MAX = 20;

    RestartAttempt {
        shunned = Set.copyOf(shunned);
    }

    static RestartAttempt first(long nowNanos) {
        return new RestartAttempt(nowNanos, 0, nowNanos, Set.of(), "");
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
        return new RestartAttempt(sinceNanos, tries + 1, nowNanos + pause, hosts, why);
    }
}
