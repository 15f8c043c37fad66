package io.godwit.vm;

/**
 * Where a host records that a guest's vCPUs run or stand still, outside the cluster, so that a later reader can prove
 * that no two hosts ran one VM at the same moment. A run is recorded before the vCPUs start, a stop after they have
 * stopped: the recorded interval never falls short of the true one.
 */
public interface RunLog {
    /** About to run under {@code epoch}. */
    void running(String vm, long epoch);

    /** Stands still. */
    void stopped(String vm, long epoch);

    /** Has stood still since {@code nanos} by the log's own clock, when its last batch of work ended. */
    default void stoppedAt(String vm, long epoch, long nanos) {
        stopped(vm, epoch);
    }

    /** Records nothing. */
    RunLog NONE = new RunLog() {
        @Override
        public void running(String vm, long epoch) {}

        @Override
        public void stopped(String vm, long epoch) {}
    };
}
