package io.godwit.agent.lease;

import io.godwit.agent.guest.RunPermit;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.vm.VmSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The leases that this host has, by VM. A native guest whose policy is {@code restart} runs while its lease lasts and not a
 * batch longer: its vCPU threads look for themselves, so nobody need be awake to stop them. Counted from when the question
 * was sent that was answered. Asked by vCPU threads, written by the agent's actor alone.
 */
public final class LeaseKeeper {
    /** Questions that may still be answered; one is sent every few seconds, and an older one's lease is over. */
    private static final int OPEN_MAX = 32;

    /** One VM's lease; the same for every copy of that name which comes and goes here. */
    private static final class Lease implements RunPermit {
        private final MonotonicClock leaseClock;
        private final MonotonicClock logClock;
        private volatile boolean lent;
        private volatile long untilNanos;
        private volatile long ranNanos;

        Lease(MonotonicClock leaseClock, MonotonicClock logClock) {
            this.leaseClock = leaseClock;
            this.logClock = logClock;
        }

        @Override
        public boolean mayRun() {
            return lent && leaseClock.nanoTime() - untilNanos < 0;
        }

        @Override
        public void ran() {
            ranNanos = logClock.nanoTime();
        }
    }

    private final MonotonicClock leaseClock;
    private final MonotonicClock logClock;
    private final Map<String, Lease> leases = new ConcurrentHashMap<>();
    private final Map<Long, Long> sent = new LinkedHashMap<>();
    private long number;

    /**
     * @param leaseClock what leases are measured by; goes on while the machine is suspended
     * @param logClock what runs are recorded by
     */
    public LeaseKeeper(MonotonicClock leaseClock, MonotonicClock logClock) {
        this.leaseClock = leaseClock;
        this.logClock = logClock;
    }

    /** Whether {@code spec} may only run under a lease: a native guest that is to be started anew elsewhere. */
    public static boolean governs(VmSpec spec) {
        return spec.restarts() && !spec.outlivesAgent();
    }

    /** What the vCPUs of {@code spec} ask. */
    public RunPermit permit(VmSpec spec) {
        return governs(spec) ? of(spec.name()) : RunPermit.ALWAYS;
    }

    /** A question is sent now; the number that it carries. */
    public long ask() {
        number++;
        sent.put(number, leaseClock.nanoTime());
        if (sent.size() > OPEN_MAX) {
            sent.remove(sent.keySet().iterator().next());
        }
        return number;
    }

    /** Whether a lease for {@code durationMs} from when the question of that number was sent would last now. */
    public boolean lasts(long answered, long durationMs) {
        Long from = sent.get(answered);
        return from != null && leaseClock.nanoTime() - (from + durationMs * 1_000_000) < 0;
    }

    /** The question of that number was answered: {@code vm} has a lease for {@code durationMs} from when it was sent. */
    public void lent(long answered, long durationMs, String vm) {
        Long from = sent.get(answered);
        if (from == null) {
            return;
        }
        Lease lease = of(vm);
        long until = from + durationMs * 1_000_000;
        if (!lease.lent || until - lease.untilNanos > 0) {
            // in this order: whoever sees that it is lent sees until when
            lease.untilNanos = until;
            lease.lent = true;
        }
    }

    /** {@code vm} has none, whatever was said before. */
    public void takeBack(String vm) {
        Lease lease = leases.get(vm);
        if (lease != null) {
            lease.lent = false;
        }
    }

    /** {@code vm} is not here any more. */
    public void forget(String vm) {
        Lease lease = leases.get(vm);
        if (lease != null) {
            lease.lent = false;
            lease.ranNanos = 0;
        }
    }

    /** Whether {@code vm} may run now. */
    public boolean mayRun(String vm) {
        Lease lease = leases.get(vm);
        return lease != null && lease.mayRun();
    }

    /** When, by the clock that runs are recorded by, {@code vm} ended its last batch; empty when it never ran. */
    public OptionalLong lastRanNanos(String vm) {
        Lease lease = leases.get(vm);
        return lease == null || lease.ranNanos == 0 ? OptionalLong.empty() : OptionalLong.of(lease.ranNanos);
    }

    private Lease of(String vm) {
        return leases.computeIfAbsent(vm, _ -> new Lease(leaseClock, logClock));
    }
}
