package io.godwit.safety;

/** What one host has of the VM. */
sealed interface Copy {
    /** Whether its vCPUs run. */
    default boolean runs() {
        return this instanceof Running || this instanceof Saving;
    }

    /** Nothing. */
    record Nothing() implements Copy {}

    /** It runs under a grant. */
    record Running(long epoch) implements Copy {}

    /** It runs and is being sent. */
    record Saving(String migration, long epoch) implements Copy {}

    /** It stands; {@code streams} while what is left may still reach the destination. */
    record Surrendered(String migration, long epoch, boolean streams) implements Copy {}

    /** It is being received; {@code streams} while a source sends to this very copy. */
    record Incoming(String migration, long epoch, boolean streams) implements Copy {}

    /** It is complete and stands. */
    record Loaded(String migration, long epoch) implements Copy {}
}
