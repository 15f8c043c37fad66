package io.godwit.agent.guest;

import io.godwit.vm.GuestException;

/** What a vCPU thread drives. Touched by one thread at a time: its own while it runs, the guest's caller while it stands. */
public interface VcpuEngine {
    /** Writes the next {@code pages} pages of its slice; 0 only passes through the guest. */
    void batch(int pages) throws GuestException;

    /** Comes to a point where its state can be saved. */
    void settle() throws GuestException;
}
