package io.godwit.agent.guest;

/**
 * Whether a guest's vCPUs may run at this moment; asked by every vCPU thread before each batch, so it must be quick and may
 * not block. A thread that was stopped together with its process asks again before its next batch, whatever it knew before.
 */
public interface RunPermit {
    /** Always. */
    RunPermit ALWAYS = new RunPermit() {
        @Override
        public boolean mayRun() {
            return true;
        }

        @Override
        public void ran() {}
    };

    /** Whether the next batch may begin. */
    boolean mayRun();

    /** A batch has just ended. */
    void ran();
}
