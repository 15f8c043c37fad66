package io.godwit.plan.check;

/**
 * Something that a plan breaks.
 *
 * @param atMs when, from the plan's start
 * @param kind what was broken
 * @param message who and by how much
 */
public record Violation(long atMs, Kind kind, String message) {
    /** What can be broken. */
    public enum Kind {
        /** Names a VM or host that is not in the fleet. */
        UNKNOWN,
        /** Moves a VM from where it is not, to where it is, or while it is still on its way. */
        PLACE,
        /** Moves a VM that must stay, or to a host it may not be on. */
        FORBIDDEN,
        /** Uses a host that is closed, is being emptied, or has not booted. */
        HOST,
        /** Takes more of a host's resource than it has. */
        CAPACITY,
        /** Takes more of a link or switch than it carries. */
        LINK,
        /** Runs more migrations at a host than it allows. */
        LIMIT,
        /** Says that a copy ends before it can, or gives it no bandwidth. */
        DURATION,
        /** Breaks a rule between VMs. */
        RULE,
        /** Stops a guest for longer than it accepts. */
        BLACKOUT,
        /** Leaves a VM behind without saying so. */
        LEFT,
        /** Ends after the deadline, or at another time than it says. */
        END
    }

    @Override
    public String toString() {
        return "at " + atMs + " ms, " + kind + ": " + message;
    }
}
