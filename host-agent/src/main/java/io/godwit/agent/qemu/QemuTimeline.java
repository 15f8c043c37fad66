package io.godwit.agent.qemu;

import io.godwit.proto.migration.Downtime;

/** When the steps of one migration away from here happened, on this host's monotonic clock, in nanoseconds; 0 for not yet. */
final class QemuTimeline {
    private long begun;
    private long stopping;
    private long stopped;
    private long drained;
    private long continued;
    private long completed;

    private static long first(long already, long now) {
        return already == 0 ? now : already;
    }

    /** The first byte has gone out. */
    void begun(long now) {
        begun = first(begun, now);
    }

    /** The vCPUs are told to stop, or QEMU says that it has stopped them. */
    void stopping(long now) {
        stopping = first(stopping, now);
    }

    /** They stand still. */
    void stopped(long now) {
        stopping(now);
        stopped = first(stopped, now);
    }

    /** The last RAM but what QEMU keeps for the end has gone out. */
    void drained(long now) {
        stopped(now);
        drained = first(drained, now);
    }

    /** QEMU was told to go on. */
    void continued(long now) {
        continued = first(continued, now);
    }

    /** The destination has loaded all of it. */
    void completed(long now) {
        drained(now);
        continued(now);
        completed = first(completed, now);
    }

    /** Forgets the standstill: the VM runs again. */
    void runsAgain() {
        stopping = 0;
        stopped = 0;
        drained = 0;
        continued = 0;
        completed = 0;
    }

    /** Milliseconds of pre-copy. */
    long precopyMillis(long now) {
        return begun == 0 ? 0 : ((stopping == 0 ? now : stopping) - begun) / 1_000_000;
    }

    /** Microseconds in which RAM went out while the VM stood. */
    long drainMicros() {
        return micros(stopped, drained);
    }

    /**
     * The standstill; waiting for the ledger counts as commit.
     *
     * @param now when the word came that the destination runs, which takes its way over the coordinator
     * @param standingMicros how long the VM stood there, loaded, as the destination says; -1 when it does not: then the
     *     standstill ends now
     */
    Downtime downtime(long now, long standingMicros) {
        if (completed == 0) {
            return Downtime.NONE;
        }
        long here = micros(completed, now);
        return new Downtime(
                micros(stopping, stopped),
                0,
                micros(stopped, drained),
                0,
                micros(continued, completed),
                micros(drained, continued) + (standingMicros < 0 ? here : Math.min(standingMicros, here)),
                0);
    }

    private static long micros(long from, long to) {
        return Math.max(0, to - from) / 1000;
    }
}
