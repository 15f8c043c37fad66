package io.godwit.vm;

import io.godwit.memory.DirtyBitmap;
import java.util.Optional;

/**
 * One guest: RAM, vCPUs and the CPU dirty log. Made by a {@link GuestDriver}, owned by one {@link Vm} actor, which calls
 * it from data-plane threads, one call at a time; {@link #memory()} may be read and written by anyone at any time.
 */
public interface Guest extends AutoCloseable {
    /** Name of the driver that made it. */
    String driver();

    /** Its RAM. */
    GuestMemory memory();

    /** Number of vCPUs. */
    int vcpuCount();

    /** Starts every vCPU from its present state; nothing when they run. */
    void run() throws GuestException;

    /** Stops every vCPU and returns when all stand still at a point where their state can be saved; nothing when they do. */
    void pause() throws GuestException;

    /**
     * Holds every vCPU back for a share of its time, so that it writes more slowly; from now on, until it is told
     * otherwise. Only notes it: any thread may call it at any time, whatever else is called. A pause does not wait for a
     * vCPU that is held back.
     *
     * @param percent share of time, 0 (not at all) to 99
     * @throws IllegalArgumentException when it is another
     */
    void throttle(int percent);

    /** Starts logging vCPU writes; what was written before is not reported. */
    void startDirtyLog() throws GuestException;

    /** Stops logging. */
    void stopDirtyLog() throws GuestException;

    /**
     * Fetches and clears the CPU dirty log: marks in {@code into} every page a vCPU has written since the last call.
     * With the vCPUs paused, nothing written before the pause is missed.
     *
     * @return pages reported by the log
     */
    long collectDirty(DirtyBitmap into) throws GuestException;

    /** The whole state of vCPU {@code index}, paused; opaque, with its own version and driver inside. */
    byte[] saveVcpu(int index) throws GuestException;

    /**
     * Restores the state of vCPU {@code index}, paused.
     *
     * @throws GuestException when the bytes are not a state of this driver and version, or are damaged
     */
    void loadVcpu(int index, byte[] state) throws GuestException;

    /** Page increments each vCPU has counted in its own registers or state, paused; index is the vCPU. */
    long[] writesCounted() throws GuestException;

    /** Why the guest stopped by itself, if it did. */
    Optional<String> failure();

    /** Stops the vCPUs and frees all of it. Any later use of the memory is an error of the caller. */
    @Override
    void close();
}
