package io.godwit.device;

/** How a model device can be made to fail ({@link DeviceFaults}). */
public enum DeviceFault {
    /** Throws, and stays where it stands. */
    FAIL,
    /** Throws, and stands in ERROR. */
    BREAK,
    /** Does not come back until the switch is off or the device is closed; then goes on as if nothing had been. */
    STALL,
    /** Gives, or takes, less than it should: a chunk or config cut short, half a count, half of what was written to it. */
    SHORT,
    /** Says that there is nothing more to read although there is. */
    ENDED,
    /**
     * Says what is not so: a byte flipped in what it gives out or has taken in, a count of all ones (64 bits), another
     * digest; a step or a reset that it says it has made, and has not.
     */
    WRONG
}
